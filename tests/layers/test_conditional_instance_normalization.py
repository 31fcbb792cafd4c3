import keras
import numpy as np
import pytest

from yoto_tf.layers import ConditionalInstanceNormalization
from yoto_tf.machine.compilation import compiled


@pytest.fixture
def features(rng):
    return rng.normal(3, 2, size=(4, 16, 12, 3)).astype("float32")


@pytest.fixture
def embedding(rng):
    return rng.normal(size=(4, 7)).astype("float32")


@pytest.mark.parametrize("rank", [3, 4, 5])
def test_formula(rank, rng, embedding, randomize):
    features = rng.normal(3, 2, size=(4, *range(4, 2 + rank), 3)).astype("float32")
    layer = ConditionalInstanceNormalization(strength=0.3, epsilon=0.01)
    layer.build(features.shape, embedding.shape)
    kernel, bias = map(np.array, randomize(layer).weights)
    s, t = np.split(embedding @ kernel + bias, 2, axis=-1)
    axes = tuple(range(rank - 2))
    expected = [
        (1 + 0.3 * s[i]) * (x - x.mean(axes)) / np.sqrt(x.var(axes) + 0.01) + 0.3 * t[i]
        for i, x in enumerate(features)
    ]
    np.testing.assert_allclose(layer(features, embedding), expected, atol=1e-4)


def test_the_embedding_sets_the_moments(features, embedding, randomize):
    layer = ConditionalInstanceNormalization(strength=0.3)
    layer.build(features.shape, embedding.shape)
    scale, shift = randomize(layer).film.scale_and_shift(embedding)
    outputs = np.array(layer(features, embedding))
    np.testing.assert_allclose(outputs.mean((1, 2)), shift, atol=1e-5)
    np.testing.assert_allclose(outputs.std((1, 2)), np.abs(scale), rtol=1e-4)


def test_contrast_and_brightness_of_the_input_do_not_matter(features, embedding):
    layer = ConditionalInstanceNormalization()
    np.testing.assert_allclose(
        layer(7 * features - 40, embedding), layer(features, embedding), atol=1e-4
    )


def test_it_starts_near_instance_normalization(features, embedding):
    plain = np.array(ConditionalInstanceNormalization(0.0)(features, embedding))
    np.testing.assert_allclose(plain.mean((1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(plain.std((1, 2)), 1, rtol=1e-4)
    outputs = np.array(ConditionalInstanceNormalization()(features, embedding))
    assert 0 < np.std(outputs - plain) < 0.4


@pytest.mark.parametrize("value", [0.0, 0.1, 1.0])
def test_a_constant_picture_gives_the_shift(value, embedding, randomize):
    features = np.full((4, 64, 64, 3), value, "float32")
    layer = ConditionalInstanceNormalization()
    layer.build(features.shape, embedding.shape)
    _, shift = randomize(layer).film.scale_and_shift(embedding)
    expected = np.broadcast_to(np.array(shift)[:, None, None], features.shape)
    # The mean of 4096 values is a few float32 steps off, 1/sqrt(epsilon) is 316.
    np.testing.assert_allclose(layer(features, embedding), expected, atol=0.01)


def test_mixed_precision(rng, embedding, randomize):
    # A mean far above the deviation: products in bfloat16 would lose a digit more.
    features = rng.normal(30, 1, size=(4, 32, 32, 3)).astype("float32")
    features = np.array(keras.ops.cast(keras.ops.cast(features, "bfloat16"), "float32"))
    layer = ConditionalInstanceNormalization(dtype="mixed_bfloat16")
    layer.build(features.shape, embedding.shape)
    outputs = randomize(layer)(features, embedding)
    assert outputs.dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    exact = ConditionalInstanceNormalization()
    exact.build(features.shape, embedding.shape)
    exact.set_weights(layer.get_weights())
    # Rounded once: half a step of eight bits.
    np.testing.assert_allclose(
        outputs.numpy().astype("float32"),
        exact(features, embedding),
        rtol=2**-8,
        atol=1e-5,
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("rank", [3, 4, 5])
def test_one_alone_is_as_in_a_batch(rank, dtype, rng, embedding, randomize):
    features = rng.normal(3, 2, size=(4, *range(40, 38 + rank), 3)).astype("float32")
    layer = ConditionalInstanceNormalization(0.3, 0.01, dtype=dtype)
    layer.build(features.shape, embedding.shape)
    features = keras.ops.cast(features, layer.compute_dtype)
    together = keras.ops.cast(randomize(layer)(features, embedding), "float32")
    fused = compiled(layer)
    for row in range(4):
        alone = fused(features[row : row + 1], embedding[row : row + 1])
        assert alone.dtype == layer.compute_dtype
        alone = keras.ops.cast(alone[0], "float32")
        # In bfloat16 a step, where the two sums round to either side.
        step = {"rtol": 2**-7, "atol": 1e-4} if "mixed" in dtype else {"atol": 1e-5}
        np.testing.assert_allclose(alone, together[row], **step)


def test_all_weights_learn(features, embedding, gradients):
    found = gradients(ConditionalInstanceNormalization(), features, embedding)
    assert len(found) == 2
    for gradient in found.values():
        assert np.abs(gradient).max() > 1e-3


def test_saved_and_loaded(features, embedding, reload):
    loaded = reload(ConditionalInstanceNormalization(0.2, 0.01), features, embedding)
    assert (loaded.strength, loaded.epsilon) == (0.2, 0.01)


def test_features_without_a_spatial_axis():
    with pytest.raises(ValueError, match=r"spatial axis.*shape=\(4, 3\)"):
        ConditionalInstanceNormalization()(np.ones((4, 3)), np.ones((4, 7)))
