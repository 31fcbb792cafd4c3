"""The loss-conditional model on two replicas, both on this processor."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto


def squares(inputs, outputs):
    return {
        "left": ops.mean(ops.square(outputs - inputs["x"]), axis=-1),
        "right": ops.mean(ops.square(outputs - 1), axis=-1),
    }


def numbers(strategy):
    """What a step on one batch of eight reports and learns."""
    coefficients = yoto.Coefficients(
        left=yoto.LogUniform(0.1, 10), right=yoto.Fixed(1.0)
    )
    rng = np.random.default_rng(0)
    c = np.stack([rng.uniform(0.1, 10, 8), np.ones(8)], -1)
    examples = {"x": rng.normal(size=(8, 2)), "coefficients": c}
    examples = {name: array.astype("float32") for name, array in examples.items()}
    with strategy.scope():
        inputs = {
            "x": keras.Input((2,), name="x"),
            "coefficients": keras.Input((2,), name="coefficients"),
        }
        dense = keras.layers.Dense(
            2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.1)
        )
        features = dense(ops.concatenate(list(inputs.values()), axis=-1))
        model = yoto.LossConditionalModel(
            keras.Model(inputs, features), squares, coefficients
        )
        model.compile(keras.optimizers.SGD(0.01))
    history = model.fit(examples, batch_size=8, verbose=0).history
    found = {name: value[0] for name, value in history.items()}
    found["kernel"] = dense.kernel.numpy()
    # Drawn on each replica, balanced over both.
    with strategy.scope():
        balanced = yoto.LossConditionalModel(
            model.network, squares, coefficients, balance=0.5
        )
        balanced.compile(keras.optimizers.SGD(0.0))
    del examples["coefficients"]
    losses = balanced.fit(examples, batch_size=8, verbose=0).history
    assert np.isfinite(losses["loss"]).all()
    # A fixed vector for each example, whatever the number of replicas.
    evaluated = model.evaluate({"x": examples["x"]}, batch_size=8, verbose=0)
    found["evaluated"] = np.array(evaluated)
    found["predicted"] = model.predict_at(examples["x"], left=0.5)
    front = yoto.sweep(model, {"x": examples["x"]}, coefficients.grid(3))
    found["swept"] = front.points("left", "right")
    return found


def number_drawn(strategy):
    """How many different values 16 examples of a step get."""
    coefficients = yoto.Coefficients(left=yoto.Uniform(0, 1))
    with strategy.scope():
        x = keras.Input((1,), name="x")
        hidden = keras.layers.Dense(2)(x)
        network = keras.Model(x, keras.layers.Dense(1)(hidden))
        model = yoto.LossConditionalModel(
            yoto.condition(network, coefficients),
            lambda inputs, outputs: {"left": outputs[:, 0]},
            coefficients,
        )
    _, drawn = model.predict({"x": np.ones((16, 1))}, batch_size=16, verbose=0)
    return len(np.unique(drawn))


def test_two_replicas_do_what_one_does(tmp_path):
    import tensorflow as tf

    path = tmp_path / "replicas.npz"
    subprocess.run([sys.executable, __file__, path], check=True)
    replicas = np.load(path)
    one = numbers(tf.distribute.get_strategy())
    one["drawn"] = 16
    assert set(replicas) == set(one)
    for name, expected in one.items():
        assert replicas[name] == pytest.approx(expected, rel=1e-5), name


if __name__ == "__main__":
    import tensorflow as tf

    [processor] = tf.config.list_physical_devices("CPU")
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(processor, [half, half])
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    np.savez(sys.argv[1], **numbers(strategy), drawn=number_drawn(strategy))
