"""What the tests of every layer do to it."""

import keras
import numpy as np
import pytest
from keras import ops

from yoto_tf.tradeoff.gradients import gradients as gradients_of


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def randomize(rng):
    """Gives a built layer weights that are nowhere near their start."""

    def assign(layer):
        for weight in layer.trainable_variables:
            weight.assign(rng.normal(0, 0.5, weight.shape))
        return layer

    return assign


@pytest.fixture
def reload(tmp_path):
    """Saves a functional model of one layer; checks and returns the loaded layer.

    The inputs are given as arrays; their inner axes are left open in the model.
    """

    def round_trip(layer, *arrays):
        inputs = [
            keras.Input((*(None,) * (array.ndim - 2), array.shape[-1]))
            for array in arrays
        ]
        model = keras.Model(inputs, layer(*inputs))
        expected = model.predict(list(arrays), verbose=0)
        path = tmp_path / "model.keras"
        model.save(path)
        loaded = keras.models.load_model(path)
        actual = loaded.predict(list(arrays), verbose=0)
        np.testing.assert_array_equal(actual, expected)
        return loaded.layers[-1]

    return round_trip


@pytest.fixture
def gradients(rng):
    """{name: gradient} of a random projection of a layer's outputs, as arrays."""

    def of(layer, *arrays, **options):
        projection = rng.normal(size=layer(*arrays, **options).shape)
        projection = ops.convert_to_tensor(projection, "float32")

        def loss():
            outputs = ops.cast(layer(*arrays, **options), "float32")
            return {"loss": ops.sum(outputs * projection)}

        variables = layer.trainable_variables
        _, found = gradients_of(variables, loss)["loss"]
        names = [variable.path for variable in variables]
        return dict(zip(names, found, strict=True))

    return of
