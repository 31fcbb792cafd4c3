import json
import sys

import keras
import matplotlib
import numpy as np
import pytest
from keras import ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.conditioning import condition
from yoto_tf.data import Examples
from yoto_tf.distributions import Fixed, LogUniform
from yoto_tf.errors import CoefficientError, DataError, YotoError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.scalarization import Tchebycheff
from yoto_tf.tradeoff import Sweep, regret, sweep

X = np.arange(1, 8, dtype="float32")[:, None]
GRID = [[0.1, 2.0], [1.0, 2.0], [10.0, 2.0]]


class Scaled(keras.Model):
    """x times its first coefficient: the terms are known."""

    def call(self, inputs):
        return inputs["x"] * inputs["coefficients"][:, :1]


def terms(inputs, outputs):
    return {
        "error": ops.square(outputs[:, 0] - inputs["x"][:, 0]),
        "size": ops.abs(outputs[:, 0]),
        "constant": ops.ones_like(outputs[:, 0]),
    }


def metrics(inputs, outputs):
    return {"double": 2 * outputs[:, 0]}


COEFFICIENTS = Coefficients(error=LogUniform(0.1, 10.0), size=Fixed(2.0))
MODEL = LossConditionalModel(Scaled(), terms, COEFFICIENTS)


def check(found):
    """Means over the seven examples, whatever batches they came in."""
    for c, row in zip((0.1, 1.0, 10.0), found.terms, strict=True):
        assert row["error"] == pytest.approx(((c - 1) ** 2 * X**2).mean(), abs=1e-4)
        assert row["size"] == pytest.approx(c * 4)
        assert row["constant"] == 1


def batches():
    return [{"x": X[:3]}, {"x": X[3:6]}, {"x": X[6:]}]


def tf_batches():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices({"x": X}).batch(3)


@pytest.mark.parametrize(
    "data",
    [
        {"x": X},
        {"x": X.astype("float64")},
        batches(),
        iter(batches()),
        [(batch,) for batch in batches()],
        Examples({"x": X}, 2, shuffle=False),
        tf_batches(),
    ],
    ids=["dict", "float64", "list", "iterator", "tuples", "PyDataset", "tf.data"],
)
def test_means_over_examples(data):
    check(sweep(MODEL, data, GRID))


def test_one_vector_and_metrics():
    found = sweep(MODEL, {"x": X}, [10.0, 2.0], metrics)
    assert len(found) == 1
    assert found.metrics == [{"double": pytest.approx(80.0)}]
    np.testing.assert_allclose(found.points("double", "size"), [[80.0, 40.0]])


def test_weighted_total():
    found = sweep(MODEL, {"x": X}, GRID)
    expected = [
        weights[0] * row["error"] + 2 * row["size"] + row["constant"]
        for weights, row in zip(GRID, found.terms, strict=True)
    ]
    np.testing.assert_allclose(found.totals(), expected)


def test_table_keeps_coefficient_and_term_apart():
    row = sweep(MODEL, {"x": X}, GRID, metrics).table()[2]
    assert row["error_coefficient"] == pytest.approx(10.0)
    assert row["error"] == pytest.approx(1620.0)
    assert row["total"] == pytest.approx(16200 + 80 + 1)
    assert list(row) == [
        *("error_coefficient", "size_coefficient"),
        *("error", "size", "constant", "double", "total"),
    ]


def test_json(tmp_path):
    found = sweep(MODEL, {"x": X}, GRID, metrics)
    found.to_json(tmp_path / "sweep.json")
    assert Sweep.from_json(tmp_path / "sweep.json") == found
    assert set(json.loads((tmp_path / "sweep.json").read_text())) == {
        *("coefficients", "terms", "metrics", "objectives")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["sweep.json"]


def test_plot(tmp_path):
    found = sweep(MODEL, {"x": X}, GRID, metrics)
    found.plot(tmp_path / "front.png")
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    found.plot(tmp_path / "front.svg", "double", "size", fixed=found)
    text = (tmp_path / "front.svg").read_text()
    assert text.startswith("<?xml")
    with pytest.raises(YotoError, match=r"front\.txt: expected a picture"):
        found.plot(tmp_path / "front.txt")
    with pytest.raises(YotoError, match="two terms, got 3"):
        found.plot(tmp_path / "front.png", "double", "size", "error")
    with pytest.raises(YotoError, match="no term 'speed', expected one of: error,"):
        found.plot(tmp_path / "front.png", "speed", "size")


def test_plot_with_labels(tmp_path, monkeypatch):
    """With text that is not turned into outlines, an SVG file can be searched."""
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    found = sweep(MODEL, {"x": X}, GRID, metrics)
    found.plot(tmp_path / "names.svg", "double", "size")
    text = (tmp_path / "names.svg").read_text(encoding="utf-8")
    assert all(f">{name}<" in text for name in ("double", "size"))
    labels = ("twice (metres)", "size (bytes)", "λ")
    found.plot(tmp_path / "labels.svg", "double", "size", labels=labels)
    text = (tmp_path / "labels.svg").read_text(encoding="utf-8")
    assert all(f">{label}<" in text for label in labels)
    with pytest.raises(YotoError, match=r"the vertical axis.*got 2"):
        found.plot(tmp_path / "front.png", "double", "size", labels=labels[:2])


def test_refused():
    with pytest.raises(CoefficientError, match="error = 11"):
        sweep(MODEL, {"x": X}, [[11.0, 2.0]])
    with pytest.raises(DataError, match="no example"):
        sweep(MODEL, [], GRID)


@pytest.mark.parametrize(
    "data",
    [Examples({"x": X}, 2), tf_batches().repeat()],
    ids=["PyDataset", "tf.data"],
)
def test_data_without_an_end(data):
    with pytest.raises(DataError, match="without an end"):
        sweep(MODEL, data, GRID)


def a_sweep(*totals, coefficient=1.0):
    return Sweep(
        [{"a": coefficient * index} for index in range(1, len(totals) + 1)],
        [
            {"a": total / index / coefficient}
            for index, total in enumerate(totals, start=1)
        ],
        [{} for _ in totals],
    )


def test_regret():
    found = regret(a_sweep(11.0, 9.0, -9.0), a_sweep(10.0, 10.0, -10.0))
    np.testing.assert_allclose(found, [10.0, -10.0, 10.0])


@pytest.mark.parametrize(
    "other", [a_sweep(1.0), a_sweep(1.0, 2.0, coefficient=3.0)], ids=["count", "values"]
)
def test_regret_wants_the_same_coefficients(other):
    with pytest.raises(YotoError, match="same coefficients"):
        regret(a_sweep(1.0, 2.0), other)


def test_a_metric_that_is_a_mean_already():
    def mean(inputs, outputs):
        return {"mean": ops.mean(outputs)}

    with pytest.raises(YotoError, match=r"'mean' must have one value an example"):
        sweep(MODEL, {"x": X}, GRID, metrics=mean)


def heads():
    """Two outputs on (x, y), compiled with metrics."""
    x = keras.Input((2,), name="x")
    hidden = keras.layers.Dense(4, name="hidden")(x)
    outputs = {
        "seg": keras.layers.Dense(3, "softmax", name="seg")(hidden),
        "depth": keras.layers.Dense(1, name="depth")(hidden),
    }
    coefficients = Coefficients(depth=LogUniform(0.1, 10.0))
    network = condition(keras.Model(x, outputs), coefficients)
    model = LossConditionalModel(network, coefficients=coefficients)
    model.compile(
        "adam",
        loss={"seg": "sparse_categorical_crossentropy", "depth": "mse"},
        metrics={
            "seg": ["accuracy"],
            "depth": [keras.metrics.MeanAbsoluteError("mae")],
        },
        jit_compile=False,
    )
    return model


@pytest.fixture(scope="module")
def pairs():
    random = np.random.default_rng(0)
    x = random.normal(size=(50, 2)).astype("float32")
    return x, {"seg": random.integers(0, 3, 50), "depth": x.sum(1, keepdims=True)}


def test_keras_metrics_on_pairs(pairs):
    model = heads()
    model.fit(*pairs, epochs=2, verbose=0)
    x, y = pairs
    batched = [(x[:32], {k: v[:32] for k, v in y.items()})]
    batched.append((x[32:], {k: v[32:] for k, v in y.items()}))
    for data in (pairs, batched):
        found = sweep(model, data, [[0.1], [10.0]])
        for depth, row in zip((0.1, 10.0), found.metrics, strict=True):
            outputs = model.predict_at(x, depth=depth)
            accuracy = np.mean(outputs["seg"].argmax(axis=1) == y["seg"])
            error = np.abs(outputs["depth"] - y["depth"]).mean()
            expected = {"seg_accuracy": accuracy, "depth_mae": error}
            assert row == pytest.approx(expected, rel=1e-5)
    metrics = {"depth": ["mse"]}
    other = sweep(model, pairs, [[1.0]], metrics)
    assert list(other.metrics[0]) == ["depth_mse"]
    assert other.metrics[0]["depth_mse"] == pytest.approx(other.terms[0]["depth"])
    with pytest.raises(YotoError, match=r"need batches \(x, y\)"):
        sweep(MODEL, {"x": X}, GRID, metrics=["mse"])


def a_model(scalarization=None, loss_weights=None, decay=None, **laws):
    """Two linear outputs on (x, y), the second of which has a coefficient."""
    keras.utils.set_random_seed(0)
    x = keras.Input((1,), name="x")
    hidden = keras.layers.Dense(4, kernel_regularizer=decay, name="hidden")(x)
    outputs = {
        name: keras.layers.Dense(1, kernel_regularizer=decay, name=name)(hidden)
        for name in ("seg", "depth")
    }
    coefficients = Coefficients(**(laws or {"depth": LogUniform(0.1, 10.0)}))
    network = condition(keras.Model(x, outputs), coefficients)
    model = LossConditionalModel(
        network, coefficients=coefficients, scalarization=scalarization
    )
    model.compile("sgd", {"seg": "mse", "depth": "mae"}, loss_weights)
    return model


Y = {"seg": X / 2, "depth": -X}


def evaluated(model, **coefficients):
    rows = np.tile(model.coefficients.vector(**coefficients), (len(X), 1))
    inputs = {"x": X, "coefficients": rows}
    return model.evaluate(inputs, Y, verbose=0, return_dict=True)


@pytest.mark.parametrize("scalarization", [None, Tchebycheff()])
@pytest.mark.parametrize("loss_weights", [None, {"seg": 100.0}])
def test_totals_are_what_the_model_minimises(scalarization, loss_weights):
    model = a_model(scalarization, loss_weights)
    found = sweep(model, (X, Y), [[0.5], [5.0]])
    expected = [evaluated(model, depth=depth)["loss"] for depth in (0.5, 5.0)]
    np.testing.assert_allclose(found.totals(), expected, rtol=1e-5)
    assert found.table()[1]["total"] == pytest.approx(expected[1], rel=1e-5)
    parts = sweep(model, (X, Y), [[0.5]]) + sweep(model, (X, Y), [[5.0]])
    np.testing.assert_allclose(parts.totals(), expected, rtol=1e-5)


def test_all_regularisers_are_one_term():
    model = a_model(decay="l2", regularizers=LogUniform(0.1, 10.0))
    found = sweep(model, (X, Y), [[2.0]])
    expected = evaluated(model, regularizers=2.0)
    assert found.terms[0]["regularizers"] == pytest.approx(
        expected["regularizers_loss"], rel=1e-5
    )
    assert found.totals()[0] == pytest.approx(expected["loss"], rel=1e-5)


def test_sample_weights_that_are_none():
    model = a_model()
    expected = sweep(model, (X, Y), [[2.0]])
    assert sweep(model, (X, Y, None), [[2.0]]) == expected
    assert sweep(model, [(X, Y, None)], [[2.0]]) == expected


def test_a_model_without_a_dial_or_without_losses():
    model = a_model()
    with pytest.raises(CoefficientError, match=r"sweep expects a LossCond.* a Cond"):
        sweep(model.network, (X, Y), [[2.0]])
    raw = LossConditionalModel(model.network, coefficients=model.coefficients)
    with pytest.raises(CoefficientError, match=r"call compile\(loss=...\) first"):
        sweep(raw, (X, Y), [[2.0]])


def test_front_and_dataframe():
    points = [[1, 5, 0.9], [3, 3, 0.7], [2, 4, 0.8], [4, 4, 0.95]]
    found = Sweep(
        [{"a": float(i)} for i in range(4)],
        [{"seg": float(seg), "cls": float(cls)} for seg, cls, _ in points],
        [{"accuracy": accuracy} for *_, accuracy in points],
    )
    front = found.front("seg", "cls")
    assert front.points("seg", "cls").tolist() == [[1, 5], [2, 4], [3, 3]]
    assert front.coefficients == [{"a": 0.0}, {"a": 2.0}, {"a": 1.0}]
    best = found.front("cls", maximise="accuracy")
    assert best.points("cls", "accuracy").tolist() == [[3, 0.7], [4, 0.95]]
    table = found.to_dataframe()
    assert list(table.columns) == ["a_coefficient", "seg", "cls", "accuracy", "total"]
    assert table["cls"].tolist() == [5, 3, 4, 4]


def test_dataframe_without_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(YotoError, match="needs pandas"):
        a_sweep(1.0).to_dataframe()
