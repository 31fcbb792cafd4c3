"""The C API runtime is a stricter test of an export than `tf.saved_model.load`."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from c_api_process import answers


def save(module, folder):
    spec = tf.TensorSpec([None, 3], tf.float32, name="x")
    graph = module.function.get_concrete_function({"x": spec})
    tf.saved_model.save(module, str(folder), {"serving_default": graph})


@pytest.fixture
def network():
    layers = [keras.Input((3,)), keras.layers.Dense(3), keras.layers.Dense(3)]
    return keras.Sequential(layers)


def test_it_runs_what_a_session_can_run(network, tmp_path):
    module = tf.Module()
    module.weights = [variable.value for variable in network.variables]
    module.function = tf.function(lambda inputs: {"y": network(inputs["x"])})
    save(module, tmp_path / "model")
    x = np.random.default_rng(0).random((2, 3), "float32")
    [answer] = answers(tmp_path / "model", [("serving_default", {"x": x})], tmp_path)
    np.testing.assert_allclose(answer["y"], network(x), atol=1e-6)


def test_it_finds_variables_that_only_python_finds(network, tmp_path):
    module = tf.Module()
    module.network = network
    module.function = tf.function(lambda inputs: {"y": network(inputs["x"])})
    save(module, tmp_path / "model")
    x = np.ones((2, 3), "float32")
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    np.testing.assert_allclose(loaded.function({"x": x})["y"], network(x), atol=1e-6)
    with pytest.raises(RuntimeError, match="Could not find variable"):
        answers(tmp_path / "model", [("serving_default", {"x": x})], tmp_path)


def test_it_says_which_inputs_it_expects(network, tmp_path):
    module = tf.Module()
    module.function = tf.function(lambda inputs: {"y": inputs["x"]})
    save(module, tmp_path / "model")
    x = np.ones((2, 3), "float32")
    with pytest.raises(RuntimeError, match=r"inputs \['z'\], expected \['x'\]"):
        answers(tmp_path / "model", [("serving_default", {"z": x})], tmp_path)
