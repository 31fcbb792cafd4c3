"""A backbone of keras.applications with two heads and a dial between them.

    python docs/examples/backbone.py

puts two heads on the first five blocks of MobileNet, which begins with random weights:
nothing is downloaded, and it learns scikit-learn's digits (8×8 pixels, enlarged to
32×32), not photographs. One head tells the digit, the other how much ink lies in each
of 16 squares. `--out` receives `backbone.png`, the front on pictures that the network
has not seen, and `backbone.json`.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(ink=yoto.LogUniform(3, 300))
LOSSES = {"digit": "sparse_categorical_crossentropy", "ink": "mse"}


def network():
    backbone = keras.applications.MobileNet(
        (32, 32, 3), alpha=0.25, include_top=False, weights=None
    )
    # What follows would halve pictures of this size until a pixel is left.
    x = backbone.get_layer("conv_pw_5_relu").output
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dense(8, activation="tanh", name="middle")(x)
    digit = layers.Dense(10, activation="softmax", name="digit")(x)
    return keras.Model(
        backbone.input, {"digit": digit, "ink": layers.Dense(16, name="ink")(x)}
    )


def data():
    """Pictures [N, 32, 32, 3] and targets, to train on and to test."""
    digits = load_digits()
    small = digits.images.astype("float32") / 16
    pictures = np.kron(small, np.ones((1, 4, 4), "float32"))[..., None].repeat(3, -1)
    ink = small.reshape(-1, 4, 2, 4, 2).mean((2, 4)).reshape(-1, 16)
    train, test, *targets = train_test_split(
        2 * pictures - 1, digits.target, ink, random_state=0
    )
    return (
        (train, {"digit": targets[0], "ink": targets[2]}),
        (test, {"digit": targets[1], "ink": targets[3]}),
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    train, test = data()
    model = yoto.LossConditionalModel(
        yoto.condition(network(), COEFFICIENTS),
        coefficients=COEFFICIENTS,
        normalize_weights=True,
    )
    model.compile(keras.optimizers.Adam(2e-3), LOSSES, metrics={"digit": ["accuracy"]})
    model.fit(*train, batch_size=64, epochs=args.epochs, verbose=2)

    front = yoto.sweep(model, test, COEFFICIENTS.grid(9))
    for row in front.table():
        print({name: round(value, 4) for name, value in row.items()})
    front.to_json(args.out / "backbone.json")
    front.plot(
        args.out / "backbone.png",
        "ink",
        "digit",
        labels=(
            "squared error of the ink",
            "cross-entropy of the digit (nats)",
            "coefficient of ink",
        ),
    )


if __name__ == "__main__":
    main()
