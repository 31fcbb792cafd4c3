import math
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.codec import (
    Codec,
    ContextHyperprior,
    FactorizedPrior,
    Hyperprior,
    ResidualHyperprior,
)
from yoto_tf.zoo.codec.coding import symbol_coding
from yoto_tf.zoo.codec.tiling import tiles
from yoto_tf.zoo.codec.tiling.tiles import EdgePadded, spans, tile_size


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of at least 40 latents or 12 hyper-latents, instead of thousands."""
    monkeypatch.setattr(tiles, "VALUES", 8**2 * 16 * 40)
    monkeypatch.setattr(symbol_coding, "_POSITIONS", 1)
    monkeypatch.setattr(symbol_coding, "_SYMBOL_POSITIONS", 40)


@pytest.fixture(scope="module")
def picture(photograph):
    """uint8 [470, 1111, 3]: no multiple of 16, several tiles in both directions."""
    return np.concatenate([photograph, photograph[::-1], photograph], 1)[:470, :1111]


@given(st.data())
def test_spans_cover_an_axis_once_and_reach_far_enough(data):
    length = data.draw(st.integers(1, 300))
    before, after = data.draw(st.tuples(st.integers(0, 5), st.integers(0, 5)))
    size = data.draw(st.integers(before + after + 1, 100))
    covered = []
    for begin, end, first, last in spans(length, size, (before, after)):
        assert 0 <= begin <= first < last <= end <= length
        assert end - begin == min(size, length)
        assert begin == 0 or first - begin >= before
        assert end == length or end - last >= after
        covered += range(first, last)
    assert covered == list(range(length))


@given(
    st.integers(1, 5000),
    st.integers(1, 5000),
    st.integers(100, 10**5),
    st.tuples(st.integers(0, 3), st.integers(1, 3)),
)
def test_tiles_are_of_bounded_size_and_wide_where_they_can(height, width, area, reach):
    rows, columns = tile_size(height, width, area, reach)
    overlap = sum(reach)
    assert rows <= height
    assert columns <= width
    assert rows * columns <= max(area, 16 * overlap**2)
    assert rows == height or rows > overlap
    if width <= area // (4 * overlap):
        assert columns == width


@given(st.integers(1, 70), st.integers(1, 70), st.data())
def test_padding_is_numpys(height, width, data):
    image = np.arange(height * width * 3).reshape(height, width, 3)
    padded = EdgePadded(image, 16)
    expected = np.pad(image, ((0, -height % 16), (0, -width % 16), (0, 0)), mode="edge")
    assert padded.shape == expected.shape
    window = tuple(
        slice(
            *sorted(
                data.draw(
                    st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True)
                )
            )
        )
        for side in expected.shape[:2]
    )
    np.testing.assert_array_equal(padded[window], expected[window])


def random_codec(network, precision="float32", filters=(16, 16, 16, 24), **options):
    """A codec of random weights: all taps of its kernels count, and its rate is high.

    The fixture `untrained_codec` starts with most taps at zero.
    """
    keras.utils.set_random_seed(4)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = network(coefficients, filters, **options)
    network.build(None)
    for weight in network.weights:
        if weight.path.endswith("log_gain/dense/bias"):
            weight.assign(ops.full_like(weight, math.log(100) / 0.1))
        # A context starts as none.
        if weight.path.endswith("outer_kernel"):
            weight.assign(keras.random.normal(weight.shape, stddev=0.3))
    release = Codec.from_network(network).release
    return Codec(release, precision)


@pytest.fixture(scope="module")
def hyperprior():
    return random_codec(Hyperprior, hyper_filters=16)


@pytest.mark.parametrize("quality", [0.2, 0.9])
def test_tiled_is_untiled(hyperprior, picture, quality, small_tiles, monkeypatch):
    """The same bytes, and the same pixels but for what rounding makes of a few."""
    assert_tiled_is_untiled(hyperprior, picture, quality, monkeypatch)


def test_tiled_is_untiled_with_residual_blocks(picture, small_tiles, monkeypatch):
    monkeypatch.setattr(tiles, "VALUES", 4**2 * 24 * 250)
    codec = random_codec(
        ResidualHyperprior, filters=(16, 16, 24), blocks=(1, 1, 1), hyper_filters=16
    )
    assert_tiled_is_untiled(codec, picture, 0.5, monkeypatch)


def test_tiled_is_untiled_with_a_context(picture, small_tiles, monkeypatch):
    monkeypatch.setattr(tiles, "VALUES", 4**2 * 24 * 250)
    codec = random_codec(
        ContextHyperprior,
        filters=(16, 16, 24),
        blocks=(1, 1, 1),
        hyper_filters=16,
        context_filters=16,
    )
    assert_tiled_is_untiled(codec, picture, 0.5, monkeypatch)


def test_tiled_is_untiled_without_a_hyperprior(picture, small_tiles, monkeypatch):
    codec = random_codec(FactorizedPrior)
    assert_tiled_is_untiled(codec, picture, 0.5, monkeypatch)


def assert_tiled_is_untiled(codec, picture, quality, monkeypatch):
    assert not codec._tiled.fits_at_once(*picture.shape[:2])
    data = codec.compress(picture, quality=quality)
    decoded = codec.decompress(data)
    monkeypatch.undo()
    assert codec._tiled.fits_at_once(*picture.shape[:2])
    assert len(data) > 40_000
    assert codec.compress(picture, quality=quality) == data
    # On several threads a convolution may sum in another order in a tile, and random
    # weights make much of a last bit; an overlap too short spoils whole rows.
    assert np.mean(decoded != codec.decompress(data)) < 1e-4


def test_tiles_in_bfloat16_read_what_was_written_in_float32(
    hyperprior, picture, small_tiles
):
    codec = Codec(hyperprior.release, "mixed_bfloat16")
    data = hyperprior.compress(picture, quality=0.7)
    ours, theirs = codec.decompress(data), hyperprior.decompress(data)
    assert np.abs(ours.astype(int) - theirs).mean() < 2


def test_many_threads_share_a_codec(hyperprior, photograph):
    images = [photograph[: 50 + 7 * number, :60] for number in range(8)]
    expected = [hyperprior.compress(image) for image in images]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(hyperprior.compress, images)) == expected
        decoded = list(pool.map(hyperprior.decompress, expected))
    for data, image in zip(expected, decoded, strict=True):
        np.testing.assert_array_equal(image, hyperprior.decompress(data))
