"""Networks that users write themselves."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.layers import CoefficientEmbedding, FiLM

DIAL = yoto.Coefficients(sharpness=yoto.Uniform(0.0, 1.0))


class Network(keras.Model):
    """A network of its own class, with a layer that reads the coefficients."""

    def __init__(self, head):
        super().__init__(name="network")
        self.embedding = CoefficientEmbedding(DIAL, (4,))
        self.convolution = layers.Conv2D(4, 3, padding="same")
        self.film = FiLM(strength=1.0)
        self.head = head

    def call(self, inputs):
        features = self.convolution(inputs["image"])
        features = self.film(features, self.embedding(inputs["coefficients"]))
        return self.head(features)


def inputs(height=12, width=12):
    image = np.random.default_rng(0).random((2, height, width, 3), "float32")
    return {"image": image, "coefficients": np.float32([[0.2], [0.9]])}


def test_class_takes_any_size(tmp_path):
    network = Network(lambda features: (features, ops.mean(features, (1, 2, 3))))
    network(inputs())
    export(network, tmp_path / "model", coefficients=DIAL)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    others = inputs(7, 20)
    outputs = loaded.signatures["serving_default"](
        **{name: tf.constant(array) for name, array in others.items()}
    )
    for position, expected in enumerate(network(others)):
        np.testing.assert_allclose(outputs[f"output_{position}"], expected, atol=1e-5)


def test_class_that_fixes_its_size_keeps_it(tmp_path):
    head = lambda features: ops.reshape(  # noqa: E731
        features, (-1, features.shape[1] * features.shape[2] * 4)
    )
    network = Network(head)
    network(inputs())
    export(network, tmp_path / "model", coefficients=DIAL)
    text = (tmp_path / "model" / "assets" / "yoto.json").read_text("utf-8")
    signature = json.loads(text)["signatures"]["serving_default"]
    assert signature["inputs"]["image"]["shape"] == ["B", 12, 12, 3]
    assert signature["outputs"]["output"]["shape"] == ["B", 576]


def test_class_without_a_configuration_gets_its_weights_back(tmp_path):
    network, copy = Network(ops.relu), Network(ops.relu)
    network(inputs())
    copy(inputs())
    export(network, tmp_path / "model", coefficients=DIAL)
    copy.load_weights(tmp_path / "model" / "model.weights.h5")
    np.testing.assert_array_equal(network(inputs()), copy(inputs()))


def test_bfloat16_network_speaks_float32(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        base = keras.Sequential(
            [keras.Input((5,), name="x"), layers.Dense(8), layers.Dense(3)]
        )
        network = yoto.condition(base, DIAL)
    finally:
        keras.config.set_dtype_policy("float32")
    export(network, tmp_path / "model", coefficients=DIAL)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    given = {"x": tf.ones([3, 5]), "coefficients": tf.constant([0.5])}
    output = loaded(given)["output"]
    assert output.dtype == tf.float32
    expected = network({**given, "coefficients": tf.fill([3, 1], 0.5)})
    np.testing.assert_allclose(output, ops.cast(expected, "float32"), rtol=0.02)


def test_never_called_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="inputs of network 'network' are not known"):
        export(Network(ops.relu), tmp_path / "model", coefficients=DIAL)


def test_without_coefficients_is_refused(tmp_path):
    base = keras.Sequential([keras.Input((5,), name="x"), layers.Dense(3)])
    with pytest.raises(RecipeError, match="has no input 'coefficients', only x"):
        export(base, tmp_path / "model", coefficients=DIAL)


@pytest.mark.parametrize(
    ("coefficients", "message"),
    [
        (
            yoto.Coefficients(a=yoto.Fixed(1.0), b=yoto.Fixed(1.0)),
            "'network' takes 1 coefficients, got 2: a, b",
        ),
        ({"sharpness": (0, 1)}, "expected yoto_tf.Coefficients, got dict"),
    ],
)
def test_coefficients_of_another_network(coefficients, message, tmp_path):
    network = Network(ops.relu)
    network(inputs())
    with pytest.raises(RecipeError, match=message):
        export(network, tmp_path / "model", coefficients=coefficients)


def test_nested_outputs_are_refused(tmp_path):
    network = Network(lambda features: {"levels": [features, features]})
    network(inputs())
    with pytest.raises(RecipeError, match="'network' returns nested structures"):
        export(network, tmp_path / "model", coefficients=DIAL)
    assert list(tmp_path.iterdir()) == []
