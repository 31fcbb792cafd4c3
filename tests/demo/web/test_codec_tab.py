from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec import Codec

pytest.importorskip("gradio", reason="the extra `web` is not installed")

from yoto_tf.demo.web.codec_tab import compare, table, without_traces_of_jpeg
from yoto_tf.demo.web.formats import FORMATS, decode, file_of_size


def test_every_codec_shows_what_its_file_holds(untrained_codec, photograph):
    image = photograph[100:300, 100:290]
    ours, others = compare(untrained_codec, image, 0.6)
    assert ours.data == untrained_codec.compress(image, quality=0.6)
    np.testing.assert_array_equal(ours.image, untrained_codec.decompress(ours.data))
    assert ours.psnr == psnr(image, ours.image)
    assert list(others) == list(FORMATS) == ["JPEG", "WebP", "AVIF"]
    for coded in others.values():
        assert 0.8 * len(ours.data) < len(coded.data) <= len(ours.data)
        np.testing.assert_array_equal(coded.image, decode(coded.data))
        assert coded.psnr == psnr(image, coded.image)


def test_table_has_the_numbers_with_their_units(untrained_codec, photograph):
    image = photograph[:100, :150]
    ours, others = compare(untrained_codec, image, 1.0)
    text = table(untrained_codec, ours, others, 1.0)
    for coded in (ours, *others.values()):
        bpp = f"{8 * len(coded.data) / 15000:.3f}"
        for part in (f"{len(coded.data):,}", bpp, f"{coded.psnr:.2f} dB"):
            assert part in text
    assert "λ = 0.1800" in text
    assert "45,000" in text
    assert "its smallest" not in text


def test_picture_that_jpeg_cannot_make_so_small(untrained_codec):
    image = np.zeros((1, 1, 3), "uint8")
    ours, others = compare(untrained_codec, image, 0.0)
    assert len(others["JPEG"].data) > len(ours.data)
    assert "JPEG**, its smallest" in table(untrained_codec, ours, others, 0.0)


def test_a_picture_that_was_a_jpeg_file_does_not_favour_jpeg(photograph):
    def of_jpeg(image):
        return psnr(image, decode(file_of_size(image, image.size // 12, "JPEG")))

    # Of 2 bits per pixel.
    assert of_jpeg(photograph) > 44
    smaller = without_traces_of_jpeg(photograph)
    assert smaller.shape == (525, 448, 3)
    assert of_jpeg(smaller) < 38


def test_users_at_the_same_time_get_their_own(untrained_codec, photograph):
    # A new one, so that its first pictures compile it at the same time.
    codec = Codec(untrained_codec.release)

    def work(number):
        image = photograph[number * 7 :, number * 5 :][: 64 + number, : 80 + number]
        return compare(codec, image, number / 11)[0]

    numbers = range(12)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, numbers))
    alone = [work(number) for number in numbers]
    for a, b in zip(alone, together, strict=True):
        assert a.data == b.data
        np.testing.assert_array_equal(a.image, b.image)
