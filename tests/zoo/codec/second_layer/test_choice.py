"""Whatever the picture, the best quality shows it."""

import io
import math

import numpy as np
import pytest
from awkward_pictures import PICTURES
from PIL import Image

from yoto_tf import zoo
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.second_layer import choice
from yoto_tf.zoo.codec.second_layer.oddity import odd_blocks


@pytest.fixture(scope="module")
def codec():
    return zoo.load("codec")


def jpeg_bytes(image, decibels):
    """The least that JPEG takes for a PSNR, in 4:4:4 or 4:2:0."""
    return min(_jpeg_bytes(image, decibels, subsampling) for subsampling in (0, 2))


def _jpeg_bytes(image, decibels, subsampling):
    for quality in range(1, 101):
        file = io.BytesIO()
        options = {"quality": quality, "subsampling": subsampling, "optimize": True}
        Image.fromarray(image).save(file, "JPEG", **options)
        if psnr(image, np.asarray(Image.open(file))) >= decibels:
            return len(file.getvalue())
    return math.inf


@pytest.mark.parametrize("name", PICTURES)
def test_the_best_quality_shows_awkward_pictures(codec, name):
    image = PICTURES[name]()
    data = codec.compress(image, quality=1.0)
    decoded = codec.decompress(data)
    decibels = psnr(image, decoded)
    assert decibels >= 30
    # JPEG is exact hardly anywhere: there it is given those 30 dB.
    asked = decibels if math.isfinite(decibels) else 30
    assert len(data) <= 1.5 * jpeg_bytes(image, asked)
    np.testing.assert_array_equal(codec.reconstruct(image, quality=1.0), decoded)


def test_photographs_are_left_to_the_networks(codec, photograph):
    for quality in (0.0, 0.5, 1.0):
        container = Container.from_bytes(codec.compress(photograph, quality=quality))
        assert len(container.sections) == 2
        assert choice.in_words(container) is None


def test_a_part_that_is_missed_becomes_a_residual(codec, photograph):
    image = photograph[:256, :320].copy()
    image[64:150, 70:190] = PICTURES["noise"]()[:86, :120]
    data = codec.compress(image, quality=0.5)
    container = Container.from_bytes(data)
    assert choice.in_words(container) == "residual"
    assert codec.compress(image, quality=0.5) == data
    decoded = codec.decompress(data).astype(int)
    tolerance = choice.tolerance_at(container.coefficients[0])
    assert np.abs(decoded - image)[64:128, 128:190].max() <= tolerance
    np.testing.assert_array_equal(codec.reconstruct(image, quality=0.5), decoded)


def test_what_a_coefficient_asks_for():
    for slope in (0.0018, 0.02, 0.18, 3.0):
        step = np.sqrt(12 * choice.asked_error(slope))
        # λ · Δ² / 12 - 3 log2 Δ is least there.
        costs = [
            slope * s * s / 12 - 3 * np.log2(s) for s in step * np.array([0.9, 1, 1.1])
        ]
        assert costs[1] == min(costs)
        assert 2 * choice.tolerance_at(slope) + 1 <= max(step, 1)
    assert choice.tolerance_at(1e-9) == 127
    assert choice.tolerance_at(1e9) == 0


def test_oddity_is_found_where_it_is(photograph):
    image = photograph[:320, :320].copy()
    assert not odd_blocks(image, 60).any()
    image[128:192, 64:128] = PICTURES["dither"]()[:64, :64]
    found = odd_blocks(image, 60)
    assert found[2, 1]
    # Neighbours may have an edge of it.
    assert found.sum() <= 5
    # A strip of a part of a block, at the picture's end.
    assert odd_blocks(PICTURES["noise"]()[:70, :70], 60).all()
