import numpy as np
import pytest

from yoto_tf.layers import ConditionalBatchNormalization


@pytest.fixture
def features(rng):
    return rng.normal(3, 2, size=(8, 6, 5, 3)).astype("float32")


@pytest.fixture
def embedding(rng):
    return rng.normal(size=(8, 7)).astype("float32")


@pytest.mark.parametrize("rank", [2, 4])
def test_training_normalises_by_the_batch(rank, rng, embedding, randomize):
    features = rng.normal(3, 2, size=(8, *(6, 5)[: rank - 2], 3)).astype("float32")
    layer = ConditionalBatchNormalization(strength=0.3, epsilon=0.01)
    layer.build(features.shape, embedding.shape)
    scale, shift = randomize(layer).film.scale_and_shift(embedding)
    axes = tuple(range(rank - 1))
    normalized = (features - features.mean(axes)) / np.sqrt(features.var(axes) + 0.01)
    shape = (8, *(1,) * (rank - 2), 3)
    expected = np.reshape(scale, shape) * normalized + np.reshape(shift, shape)
    outputs = layer(features, embedding, training=True)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)


def test_inference_normalises_by_the_moving_statistics(features, embedding, randomize):
    layer = ConditionalBatchNormalization(epsilon=0.01)
    layer.build(features.shape, embedding.shape)
    scale, shift = (
        np.array(part)[:, None, None]
        for part in randomize(layer).film.scale_and_shift(embedding)
    )
    mean, variance = np.array([1.0, 2.0, 3.0]), np.array([1.0, 4.0, 9.0])
    layer.normalization.moving_mean.assign(mean)
    layer.normalization.moving_variance.assign(variance)
    expected = scale * (features - mean) / np.sqrt(variance + 0.01) + shift
    outputs = layer(features, embedding)
    np.testing.assert_allclose(outputs, expected, atol=1e-4)
    np.testing.assert_array_equal(layer.normalization.moving_mean, mean)


def test_all_coefficients_share_the_moving_statistics(features, embedding):
    layer = ConditionalBatchNormalization(momentum=0.0)
    layer(features, embedding, training=True)
    mean, variance = layer.non_trainable_variables
    np.testing.assert_allclose(mean, features.mean((0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(variance, features.var((0, 1, 2)), rtol=1e-4)
    layer(features, embedding + 1, training=True)
    np.testing.assert_allclose(mean, features.mean((0, 1, 2)), rtol=1e-5)


def test_it_starts_near_batch_normalization(features, embedding):
    layer = ConditionalBatchNormalization()
    outputs = np.array(layer(features, embedding, training=True))
    assert outputs.mean((0, 1, 2)) == pytest.approx(np.zeros(3), abs=0.3)
    assert outputs.std((0, 1, 2)) == pytest.approx(np.ones(3), abs=0.3)
    plain = ConditionalBatchNormalization(strength=0.0)
    outputs = np.array(plain(features, embedding, training=True))
    assert outputs.mean((0, 1, 2)) == pytest.approx(np.zeros(3), abs=1e-5)
    assert outputs.std((0, 1, 2)) == pytest.approx(np.ones(3), abs=1e-3)


def test_mixed_precision(features, embedding, randomize):
    layer = ConditionalBatchNormalization(dtype="mixed_bfloat16")
    layer.build(features.shape, embedding.shape)
    outputs = randomize(layer)(features, embedding, training=True)
    assert outputs.dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    exact = ConditionalBatchNormalization()
    exact.build(features.shape, embedding.shape)
    exact.set_weights([weight.numpy() for weight in layer.weights])
    np.testing.assert_allclose(
        outputs.numpy().astype("float32"),
        exact(features, embedding, training=True),
        rtol=0.02,
        atol=0.03,
    )


def test_all_weights_learn(features, embedding, gradients):
    layer = ConditionalBatchNormalization()
    found = gradients(layer, features, embedding, training=True)
    assert len(found) == 2
    for gradient in found.values():
        assert np.abs(gradient).max() > 1e-3


def test_saved_and_loaded_with_its_statistics(features, embedding, reload):
    layer = ConditionalBatchNormalization(0.2, momentum=0.5, epsilon=0.01)
    layer(features, embedding, training=True)
    loaded = reload(layer, features, embedding)
    assert (loaded.strength, loaded.momentum, loaded.epsilon) == (0.2, 0.5, 0.01)
    np.testing.assert_array_equal(
        loaded.normalization.moving_mean, layer.normalization.moving_mean
    )
