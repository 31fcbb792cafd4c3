import keras
import numpy as np
import pytest

from yoto_tf.layers import Gate


@pytest.fixture
def features(rng):
    return rng.normal(size=(4, 5, 6, 3)).astype("float32")


@pytest.fixture
def embedding(rng):
    return rng.normal(size=(4, 2)).astype("float32")


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
def test_formula(rank, rng, embedding, randomize):
    features = rng.normal(size=(4, *range(2, rank), 3)).astype("float32")
    layer = Gate()
    layer.build(features.shape, embedding.shape)
    kernel, bias = map(np.array, randomize(layer).weights)
    gate = 2 / (1 + np.exp(-(embedding @ kernel + bias)))
    expected = [gate[i] * features[i] for i in range(4)]
    np.testing.assert_allclose(layer(features, embedding), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_it_starts_as_the_identity(dtype, features, embedding):
    layer = Gate(dtype=dtype)
    features = keras.ops.cast(features, layer.compute_dtype)
    outputs = layer(features, embedding)
    assert outputs.dtype == features.dtype
    np.testing.assert_array_equal(
        *(keras.ops.cast(x, "float32") for x in (outputs, features))
    )


def test_the_start_can_be_left(features, embedding, gradients):
    for gradient in gradients(Gate(), features, embedding).values():
        assert np.abs(gradient).max() > 1e-2


def test_it_costs_the_coefficients_and_one_a_channel(features, embedding):
    layer = Gate()
    layer.build(features.shape, embedding.shape)
    assert layer.count_params() == 3 * (2 + 1)


def test_a_row_for_all_examples(features, embedding, randomize):
    layer = Gate()
    layer.build(features.shape, embedding.shape)
    randomize(layer)
    rows = np.repeat(embedding[:1], 4, axis=0)
    np.testing.assert_allclose(
        layer(features, embedding[:1]), layer(features, rows), rtol=1e-6
    )
    scale, shift = layer.at(embedding[:1])
    np.testing.assert_allclose(
        layer(features, rows), features * scale + shift, rtol=1e-6
    )


def test_a_mixed_policy_does_not_round_the_embedding():
    layer = Gate(dtype="mixed_bfloat16")
    layer.build((1, 1), (1, 1))
    # bfloat16 would make 1 of the embedding and leave the gate open.
    layer.affine.set_weights([np.array([[4096.0]]), np.array([-4096.0])])
    outputs = layer(np.ones((1, 1)), np.array([[1 - 2**-10]], "float32"))
    assert float(outputs[0, 0]) == pytest.approx(2 / (1 + np.exp(4)), rel=0.01)


def test_saved_and_loaded(features, embedding, reload):
    assert isinstance(reload(Gate(), features, embedding), Gate)
