"""Two tasks that share a narrow network: tell a digit, and draw it again.

    python docs/examples/heads.py

trains one network on scikit-learn's digits (8×8 pixels) for all balances of the cross-
entropy of one head and the squared error of the other. Eight numbers in its middle are
too few for both, so the losses compete. `--out` receives `heads.png`, the front on
pictures that the network has not seen, and `heads.json`.
"""

import argparse
from pathlib import Path

import keras
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(picture=yoto.LogUniform(0.3, 300))
LOSSES = {"digit": "sparse_categorical_crossentropy", "picture": "mse"}


def network():
    image = keras.Input((64,), name="image")
    x = layers.Dense(64, activation="relu")(image)
    x = layers.Dense(8, activation="tanh", name="middle")(x)
    digit = layers.Dense(10, activation="softmax", name="digit")(x)
    x = layers.Dense(64, activation="relu")(x)
    return keras.Model(image, {"digit": digit, "picture": layers.Dense(64)(x)})


def data():
    digits = load_digits()
    return train_test_split(
        digits.data.astype("float32") / 16, digits.target, random_state=0
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=150)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    train, test, train_digit, test_digit = data()
    model = yoto.LossConditionalModel(
        yoto.condition(network(), COEFFICIENTS),
        coefficients=COEFFICIENTS,
        normalize_weights=True,
    )
    model.compile(keras.optimizers.Adam(2e-3), LOSSES, metrics={"digit": ["accuracy"]})
    targets = {"digit": train_digit, "picture": train}
    model.fit(train, targets, batch_size=64, epochs=args.epochs, verbose=2)

    held_out = test, {"digit": test_digit, "picture": test}
    front = yoto.sweep(model, held_out, COEFFICIENTS.grid(9))
    for row in front.table():
        print({name: round(value, 4) for name, value in row.items()})
    front.to_json(args.out / "heads.json")
    front.plot(
        args.out / "heads.png",
        "picture",
        "digit",
        labels=(
            "squared error of the picture",
            "cross-entropy of the digit (nats)",
            "coefficient of picture",
        ),
    )


if __name__ == "__main__":
    main()
