import keras
import numpy as np
import pytest

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError
from yoto_tf.layers import CoefficientEmbedding

COEFFICIENTS = yoto.Coefficients(
    distortion=yoto.LogUniform(0.0018, 0.18), rate=yoto.Fixed(1.0)
)
RAW = np.array([[0.0018, 1], [0.018, 1], [0.18, 1]], "float32")
# The logarithm of a log-uniform variable, standardised: ±sqrt(3) at the ends.
STANDARDIZED = np.array([[-(3**0.5), 0], [0, 0], [3**0.5, 0]])


def leaky_relu(x):
    return np.where(x > 0, x, 0.2 * x)


def test_without_layers_it_is_the_standardised_coefficients():
    layer = CoefficientEmbedding(COEFFICIENTS, units=())
    np.testing.assert_allclose(layer(RAW), STANDARDIZED, atol=1e-6)
    assert not layer.weights


def test_standardised_coefficients_then_the_perceptron(randomize):
    layer = CoefficientEmbedding(COEFFICIENTS, units=(5, 3))
    layer.build(RAW.shape)
    randomize(layer)
    kernel_1, bias_1, kernel_2, bias_2 = map(np.array, layer.weights)
    hidden = leaky_relu(STANDARDIZED @ kernel_1 + bias_1)
    hidden = leaky_relu(hidden @ kernel_2 + bias_2)
    expected = np.concatenate([STANDARDIZED, hidden], axis=-1)
    np.testing.assert_allclose(layer(RAW), expected, atol=1e-5)
    assert layer.compute_output_shape((None, 2)) == (None, 5)


def test_coefficients_out_of_range_are_taken_as_the_nearest_in_range():
    layer = CoefficientEmbedding(COEFFICIENTS)
    outside = np.array([[0.0, 1], [1e6, 7]], "float32")
    np.testing.assert_array_equal(layer(outside), layer(RAW[[0, 2]]))


def test_it_stays_in_float32_under_a_mixed_policy():
    layer = CoefficientEmbedding(COEFFICIENTS, dtype="mixed_bfloat16")
    # bfloat16 cannot tell these two apart.
    close = np.array([[0.1, 1], [0.1001, 1]], "float32")
    outputs = layer(close)
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-4


def test_a_wrong_count():
    with pytest.raises(CoefficientError, match=r"expected 2 coefficient\(s\)"):
        CoefficientEmbedding(COEFFICIENTS)(np.ones((4, 3), "float32"))


def test_all_weights_learn(gradients):
    found = gradients(CoefficientEmbedding(COEFFICIENTS, (8, 8)), RAW)
    assert len(found) == 4
    for gradient in found.values():
        assert np.abs(gradient).max() > 1e-3


def test_saved_and_loaded(reload):
    loaded = reload(CoefficientEmbedding(COEFFICIENTS, (8,)), RAW)
    assert loaded.units == (8,)
    assert loaded.coefficients.ranges() == COEFFICIENTS.ranges()
