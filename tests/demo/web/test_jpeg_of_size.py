import io

import pytest
from PIL import Image

from yoto_tf.demo.web.jpeg import decode, jpeg_of_size
from yoto_tf.imaging.metrics import psnr


@pytest.mark.parametrize("size", [9_000, 20_000, 55_555])
def test_best_file_that_is_small_enough(photograph, size):
    data = jpeg_of_size(photograph, size)
    assert 0.9 * size < len(data) <= size
    # Any quality whose file fits is no better.
    for quality in range(1, 96, 3):
        file = io.BytesIO()
        Image.fromarray(photograph).save(
            file, "JPEG", quality=quality, subsampling="4:2:0", optimize=True
        )
        assert file.tell() <= len(data) or file.tell() > size


def test_more_bytes_than_any_quality_needs(photograph):
    data = jpeg_of_size(photograph, 10**9)
    assert psnr(photograph, decode(data)) > 38


def test_fewer_bytes_than_any_quality_has(photograph):
    data = jpeg_of_size(photograph, 10)
    assert len(data) > 10
    assert decode(data).shape == photograph.shape
