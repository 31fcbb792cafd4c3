import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from yoto_tf import Coefficients, LogUniform
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec import Codec, ResidualHyperprior
from yoto_tf.zoo.codec.network.residual_transforms import (
    ResidualAnalysis,
    ResidualBlock,
    ResidualSynthesis,
    depth_to_space,
    residual_transforms,
)
from yoto_tf.zoo.codec.training.residual_start import start_as_residual_codec

WIDTHS, COUNTS = (6, 8, 10), (1, 2, 1)
TRANSFORMS = {
    "analysis": (lambda: ResidualAnalysis(WIDTHS, COUNTS), (32, 48, 3), (2, 3, 10)),
    "synthesis": (lambda: ResidualSynthesis(WIDTHS, COUNTS), (2, 3, 10), (32, 48, 3)),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_shapes(name):
    make, inputs, outputs = TRANSFORMS[name]
    transform = make()
    result = transform(np.zeros((2, *inputs), "float32"), np.zeros((2, 4), "float32"))
    assert result.shape == (2, *outputs)
    assert transform.compute_output_shape((2, *inputs), (2, 4)) == (2, *outputs)


def randomized(transform, shape, scale=0.1):
    random = np.random.default_rng(0)
    features = random.normal(size=(2, *shape)).astype("float32")
    embedding = random.normal(size=(2, 4)).astype("float32")
    transform(features, embedding)
    for variable in transform.trainable_variables:
        noise = scale * random.normal(size=variable.shape)
        variable.assign(ops.convert_to_numpy(variable) + noise)
    return features, embedding


@pytest.mark.parametrize("name", TRANSFORMS)
def test_one_example_gives_what_it_gives_in_a_batch(name):
    # A batch of one takes a path of its own, where FiLM is folded into the kernels.
    make, shape, _ = TRANSFORMS[name]
    transform = make()
    features, embedding = randomized(transform, shape)
    together = ops.convert_to_numpy(transform(features, embedding))
    alone = ops.convert_to_numpy(transform(features[:1], embedding[:1]))
    np.testing.assert_allclose(alone, together[:1], rtol=1e-4, atol=1e-4)
    elsewhere = ops.convert_to_numpy(transform(features[:1], embedding[1:]))
    assert np.abs(elsewhere - alone).max() > 1e-3


@pytest.mark.parametrize("batch", [1, 2])
def test_units_below_zero_can_still_learn(batch):
    block = ResidualBlock(4)
    features, embedding = randomized(block, (5, 5, 4))
    features, embedding = features[:batch], embedding[:batch]
    block.inner.bias.assign(np.full(2, -100.0))
    before = ops.convert_to_numpy(block(features, embedding))
    kernel = ops.convert_to_numpy(block.inner.kernel)
    block.inner.kernel.assign(1.5 * kernel)
    assert np.abs(ops.convert_to_numpy(block(features, embedding)) - before).max() > 0


@pytest.mark.parametrize("name", TRANSFORMS)
def test_reach_is_how_far_a_place_looks(name):
    make, (_, _, channels), _ = TRANSFORMS[name]
    transform = make()
    side = 25 if name == "synthesis" else 25 * 16
    features, embedding = randomized(transform, (side, 16 * side // 25 // 16, channels))
    changed = features.copy()
    block = side // 25
    changed[:, 12 * block : 13 * block] += 1.0
    first, second = (
        ops.convert_to_numpy(transform(x, embedding)) for x in (features, changed)
    )
    rows = np.abs(first - second).max(axis=(0, 2, 3))
    touched = np.flatnonzero(rows) // (first.shape[1] // 25)
    before, after = transform.reach
    assert 12 - after <= touched.min() < 12 < touched.max() <= 12 + before


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
def test_depth_to_space_is_numpys(height, width, side, channels):
    features = np.arange(height * width * side * side * channels, dtype="float32")
    features = features.reshape(1, height, width, side * side * channels)
    expected = (
        features.reshape(height, width, side, side, channels)
        .transpose(0, 2, 1, 3, 4)
        .reshape(1, height * side, width * side, channels)
    )
    result = ops.convert_to_numpy(depth_to_space(features, side))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("widths", "counts", "message"),
    [
        ((2, 4), (1, 1, 1), r"must be 3 each.*filters=\(2, 4\)"),
        ((2, 4, 6), (1, 1), r"must be 3 each.*blocks=\(1, 1\)"),
        ((2, 3, 6), (1, 1, 1), r"must be even.*filters=\(2, 3, 6\)"),
    ],
)
def test_impossible_sizes_are_named(widths, counts, message):
    with pytest.raises(ValueError, match=message):
        residual_transforms(widths, counts, True)


def test_starts_as_a_linear_codec_with_a_dial(photograph):
    keras.utils.set_random_seed(0)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 1.5))
    network = ResidualHyperprior(
        coefficients, filters=(48, 96, 192), blocks=(1, 1, 1), hyper_filters=8
    )
    network.build(None)
    corners = [(i, j) for i in range(0, 400, 100) for j in range(0, 400, 100)]
    patches = [photograph[i : i + 64, j : j + 64] for i, j in corners]
    start_as_residual_codec(network, np.stack(patches) / 255.0)
    codec = Codec.from_network(network)
    image = photograph[:256, :256]
    qualities = [psnr(image, codec.reconstruct(image, quality=q)) for q in (0, 0.5, 1)]
    assert qualities == sorted(qualities)
    assert qualities[0] > 22
    assert qualities[-1] > 30


def test_the_start_lets_channels_that_vary_much_learn_slowly(photograph):
    coefficients = Coefficients(distortion=LogUniform(0.0018, 1.5))
    network = ResidualHyperprior(
        coefficients, filters=(48, 96, 192), blocks=(1, 1, 1), hyper_filters=8
    )
    network.build(None)
    start_as_residual_codec(network, photograph[None, :256, :256] / 255.0)
    for transform, level in ((network.analysis, 2), (network.synthesis, 0)):
        [block] = transform.blocks[level]
        units = ops.convert_to_numpy(block.outer.unit)
        # Principal components come in order: the first has the mean of a block.
        assert units[0] < 0.1
        assert (units[100:] == 1).all()
