"""Fairness against accuracy: what equal rates for two groups cost.

    python docs/examples/fairness.py

trains one classifier for all balances of its cross-entropy and of the demographic
parity gap, the difference between the mean predictions for two groups. The gap is of a
batch, not of an example, so that `draw="batch"` gives all of a batch one vector.

The data are made here, and not of people: two features of six depend on the group,
and so does the label. `--out` receives `fairness.png`, the front on data that the
classifier has not seen, and `fairness.json`.
"""

import argparse
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(gap=yoto.LogUniform(0.03, 10))


def examples(count, seed):
    """Features [N, 6] of which two know the group, the group and the label."""
    random = np.random.default_rng(seed)
    group = random.integers(0, 2, count)
    features = random.normal(size=(count, 6))
    features[:, :2] += 1.2 * group[:, None]
    score = features @ [1.0, 0.5, 1.0, 0.5, 0.3, 0.0] - 1 + random.logistic(size=count)
    arrays = {"features": features, "group": group, "label": score > 0}
    return {name: array.astype("float32") for name, array in arrays.items()}


def network():
    features = keras.Input((6,), name="features")
    x = layers.Dense(32, activation="relu")(features)
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(features, layers.Dense(1, activation="sigmoid")(x))


def loss_terms(inputs, outputs):
    group, probability = inputs["group"], outputs[:, 0]
    in_one = ops.sum(probability * group) / ops.sum(group)
    in_other = ops.sum(probability * (1 - group)) / ops.sum(1 - group)
    label = inputs["label"][:, None]
    error = keras.losses.binary_crossentropy(label, outputs)
    return {"error": error, "gap": ops.abs(in_one - in_other)}


def accuracy(inputs, outputs):
    is_right = ops.equal(outputs[:, 0] > 0.5, inputs["label"] > 0.5)
    return {"accuracy": ops.cast(is_right, "float32")}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    model = yoto.LossConditionalModel(
        yoto.condition(network(), COEFFICIENTS),
        loss_terms,
        COEFFICIENTS,
        normalize_weights=True,
        draw="batch",
    )
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(examples(20000, 0), batch_size=256, epochs=args.epochs, verbose=2)

    # One batch, whose gap is that of all its examples.
    test = examples(20000, 1)
    front = yoto.sweep(model, test, COEFFICIENTS.grid(9), metrics=accuracy)
    for row in front.table():
        print({name: round(value, 4) for name, value in row.items()})
    front.to_json(args.out / "fairness.json")
    front.plot(
        args.out / "fairness.png",
        "gap",
        "accuracy",
        labels=("gap between the groups", "accuracy", "coefficient of gap"),
    )


if __name__ == "__main__":
    main()
