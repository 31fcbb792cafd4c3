import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec.coding.target_search import MAX_ENCODES, compress_to_target

IMAGE = np.zeros((100, 100, 3), "uint8")


class Counting:
    """Stands for a codec: `rate` gives the size of a file at a quality.

    `refined` gives that of one with effort.
    """

    def __init__(self, rate, refined=None):
        self.rate, self.refined = rate, refined
        self.encodes, self.efforts = 0, []

    def compress(self, image, quality, effort=0):
        assert 0 <= quality <= 1
        if effort:
            self.efforts.append(effort)
            return bytes(self.refined(quality))
        self.encodes += 1
        return bytes(self.rate(quality))


class CountingCodec:
    """A real codec, with its encodes counted."""

    def __init__(self, codec):
        self.codec = codec
        self.decompress = codec.decompress
        self.encodes = 0

    def compress(self, image, quality):
        self.encodes += 1
        return self.codec.compress(image, quality=quality)


# The logarithm of the rate over the quality: a bent, wavy line over two decades.
CURVES = st.builds(
    lambda low, slope, bend, wave, phase: (
        lambda quality: round(
            low
            * math.exp(
                slope * quality
                + bend * quality * (1 - quality)
                + wave * math.sin(9 * quality + phase)
            )
        )
    ),
    st.floats(300, 50_000),
    st.floats(2, 5),
    st.floats(-1.5, 1.5),
    st.floats(0, 0.05),
    st.floats(0, 6),
)


@given(CURVES, st.floats(0.001, 0.999))
@settings(max_examples=300, deadline=None)
def test_any_rate_in_between_is_met_in_eight_encodes(rate, place):
    size = int(math.exp((1 - place) * math.log(rate(0)) + place * math.log(rate(1))))
    codec = Counting(rate)
    bpp = 8 * size / IMAGE[..., 0].size
    data = compress_to_target(codec, IMAGE, "bpp", bpp)
    assert abs(len(data) / size - 1) <= 0.01 + 1e-9
    assert codec.encodes <= MAX_ENCODES
    if size > 1.01 * rate(0):
        codec = Counting(rate)
        data = compress_to_target(codec, IMAGE, "size", size)
        assert 0.99 * size - 1 <= len(data) <= size
        assert codec.encodes <= MAX_ENCODES


@given(CURVES, st.floats(0.01, 0.9) | st.floats(1.1, 100))
@settings(max_examples=50, deadline=None)
def test_any_other_rate_is_refused_with_what_there_is(rate, factor):
    end = rate(0) if factor < 1 else rate(1)
    codec = Counting(rate)
    with pytest.raises(DataError) as caught:
        compress_to_target(codec, IMAGE, "size", int(end * factor))
    assert f"gives {rate(0):,} bytes to {rate(1):,} bytes" in str(caught.value)
    assert codec.encodes == 2


def test_gap_in_the_sizes_is_named():
    codec = Counting(lambda quality: 1000 if quality < 0.3 else 2000)
    with pytest.raises(
        DataError, match="8 encodes came no nearer than 1,000 bytes and"
    ):
        compress_to_target(codec, IMAGE, "size", 1500)
    assert codec.encodes == MAX_ENCODES


def test_sizes_of_a_few_bytes_are_met_as_nearly_as_bytes_can():
    codec = Counting(lambda quality: 40 + int(60 * quality))
    assert len(compress_to_target(codec, IMAGE, "size", 50)) in (49, 50)


def test_codec_meets_rate_size_and_psnr(untrained_codec, photograph):
    image = photograph[150:350, 150:350]
    ends = [untrained_codec.compress(image, quality=quality) for quality in (0, 1)]
    for place in (0.2, 0.8):
        size = int(len(ends[0]) ** (1 - place) * len(ends[1]) ** place)
        codec = CountingCodec(untrained_codec)
        data = compress_to_target(codec, image, "size", size)
        assert 0.99 * size <= len(data) <= size
        assert codec.encodes <= 8

        codec = CountingCodec(untrained_codec)
        data = compress_to_target(codec, image, "bpp", 8 * size / 200**2)
        assert abs(len(data) / size - 1) <= 0.01
        assert codec.encodes <= 8

    low, high = (psnr(image, untrained_codec.decompress(data)) for data in ends)
    goal = (low + high) / 2
    codec = CountingCodec(untrained_codec)
    data = compress_to_target(codec, image, "psnr", goal)
    assert abs(psnr(image, untrained_codec.decompress(data)) - goal) <= 0.05
    assert codec.encodes <= 8
    with pytest.raises(DataError, match=f"gives {low:.2f} dB to {high:.2f} dB"):
        compress_to_target(untrained_codec, image, "psnr", high + 1)


@pytest.mark.parametrize("goal", [0, -1, math.nan, math.inf])
def test_goal_that_is_no_positive_number(goal):
    with pytest.raises(CoefficientError, match="a target bpp is a positive number"):
        compress_to_target(Counting(lambda quality: 100), IMAGE, "bpp", goal)


@given(CURVES, st.floats(0.05, 0.95), st.floats(0.8, 1.2), st.floats(-0.1, 0.1))
@example(lambda quality: round(300 * math.exp(4.5 * quality)), 0.0508, 0.805, 0.0)
@settings(max_examples=1000, deadline=None)
def test_what_effort_changes_is_made_up_for(rate, place, factor, slope):
    def refined(quality):
        return round(rate(quality) * factor * (1 + slope * quality))

    size = int(
        math.exp((1 - place) * math.log(refined(0)) + place * math.log(refined(1)))
    )
    assume(1.02 * refined(0) < size < 0.98 * refined(1))
    codec = Counting(rate, refined)
    data = compress_to_target(codec, IMAGE, "size", size, effort=3)
    assert 0.99 * size - 1 <= len(data) <= size
    assert codec.efforts == [3] * len(codec.efforts)
    assert codec.encodes <= MAX_ENCODES
    assert len(codec.efforts) <= MAX_ENCODES
