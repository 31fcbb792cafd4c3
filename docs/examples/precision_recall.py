"""Precision against recall: a dial between false alarms and missed cases.

    python docs/examples/precision_recall.py

trains one classifier on scikit-learn's breast cancer data (569 cases, two features of
30, so that there is something to miss) for all prices of a missed case. The
cross-entropy falls into two terms, of the malignant cases and of the benign ones; a
coefficient weighs the first. A threshold on one classifier would be another way; this
one trains for the price. `--out` receives `precision_recall.png`, the front on cases
that the classifier has not seen, and `precision_recall.json`.
"""

import argparse
from pathlib import Path

import keras
from keras import layers, ops
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import yoto_tf as yoto

COEFFICIENTS = yoto.Coefficients(missed=yoto.LogUniform(0.05, 20))
FEATURES = ["mean texture", "mean smoothness"]


def missed(y_true, y_pred):
    """The cross-entropy of malignant cases, 0 for the others."""
    return -ops.mean(y_true * ops.log(ops.clip(y_pred, 1e-6, 1.0)), axis=-1)


def false_alarm(y_true, y_pred):
    """The cross-entropy of benign cases, 0 for the others."""
    return missed(1 - y_true, 1 - y_pred)


def network():
    features = keras.Input((len(FEATURES),), name="features")
    x = layers.Dense(32, activation="relu")(features)
    x = layers.Dense(32, activation="relu")(x)
    x = layers.Dense(1, activation="sigmoid")(x)
    return keras.Model(features, {"missed": x, "false_alarm": x})


def data():
    cases = load_breast_cancer(as_frame=True).frame
    x = cases[FEATURES].to_numpy("float32")
    is_malignant = (cases["target"] == 0).to_numpy("float32")[:, None]
    train, test, train_y, test_y = train_test_split(
        x, is_malignant, test_size=0.5, random_state=0, stratify=is_malignant
    )
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test), train_y, test_y


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(0)

    train, test, train_y, test_y = data()
    model = yoto.LossConditionalModel(
        yoto.condition(network(), COEFFICIENTS),
        coefficients=COEFFICIENTS,
        normalize_weights=True,
    )
    counts = [
        keras.metrics.Precision(name="precision"),
        keras.metrics.Recall(name="recall"),
    ]
    model.compile(
        keras.optimizers.Adam(2e-3),
        loss={"missed": missed, "false_alarm": false_alarm},
        metrics={"missed": counts},
    )
    both = {"missed": train_y, "false_alarm": train_y}
    model.fit(train, both, batch_size=64, epochs=args.epochs, verbose=2)

    held_out = test, {"missed": test_y, "false_alarm": test_y}
    front = yoto.sweep(model, held_out, COEFFICIENTS.grid(13))
    for row in front.table():
        print({name: round(value, 4) for name, value in row.items()})
    front.to_json(args.out / "precision_recall.json")
    front.plot(
        args.out / "precision_recall.png",
        "missed_recall",
        "missed_precision",
        labels=("recall", "precision", "coefficient of missed cases"),
    )


if __name__ == "__main__":
    main()
