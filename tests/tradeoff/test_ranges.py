import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto
from yoto_tf.errors import DataError, YotoError

X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")


def network():
    x = keras.Input((3,), name="x")
    y = keras.layers.Dense(3, use_bias=False, name="y")(x)
    return keras.Model(x, {name: keras.layers.Identity(name=name)(y) for name in "ab"})


def slopes(outputs, weights):
    """Terms that are linear in the layer: their gradients are known."""
    return {name: weight * ops.sum(outputs, axis=1) for name, weight in weights.items()}


def test_the_ratio_of_gradients():
    def terms(inputs, outputs):
        return slopes(outputs["a"], {"a": 1.0, "b": 100.0, "c": 3.0})

    found = yoto.suggest_ranges(network(), terms, {"x": X}, share=0.1)
    for name, ratio in {"a": 103.0, "b": 0.04, "c": 101 / 3}.items():
        assert found[name].low == pytest.approx(0.1 * ratio, rel=0.1)
        assert found[name].high == pytest.approx(10 * ratio, rel=0.1)
        assert found[name].low <= 0.1 * ratio * (1 + 1e-4)
        assert found[name].high >= 10 * ratio * (1 - 1e-4)
    assert isinstance(yoto.Coefficients(b=found["b"]), yoto.Coefficients)
    assert repr(found["b"]) == "LogUniform(low=0.004, high=0.4)"


def test_keras_losses_on_pairs():
    def hundredfold(y_true, y_pred):
        return 100 * ops.mean(ops.square(y_pred - y_true), axis=-1)

    targets = {"a": 2 * X, "b": 2 * X}
    losses = {"a": "mse", "b": hundredfold}
    batches = [
        (X[i : i + 16], {k: v[i : i + 16] for k, v in targets.items()}) for i in (0, 16)
    ]
    for data in ((X, targets), batches):
        found = yoto.suggest_ranges(network(), losses, data)
        assert found["b"].low == pytest.approx(0.05 / 100, rel=0.1)
        assert found["a"].high == pytest.approx(100 / 0.05, rel=0.1)


def test_refused():
    def one(inputs, outputs):
        return slopes(outputs["a"], {"a": 1.0})

    def constant(inputs, outputs):
        return slopes(outputs["a"], {"a": 1.0, "b": 0.0})

    data = {"x": X}
    with pytest.raises(YotoError, match="two or more terms, got a"):
        yoto.suggest_ranges(network(), one, data)
    with pytest.raises(YotoError, match="no gradient"):
        yoto.suggest_ranges(network(), constant, data)
    with pytest.raises(DataError, match="no batch"):
        yoto.suggest_ranges(network(), constant, [])
    with pytest.raises(YotoError, match="share"):
        yoto.suggest_ranges(network(), constant, data, share=1.0)
    coefficients = yoto.Coefficients(a=yoto.LogUniform(0.1, 1))
    conditioned = yoto.condition(network(), coefficients, layers="y")
    with pytest.raises(YotoError, match="before it is conditioned"):
        yoto.suggest_ranges(conditioned, constant, data)
