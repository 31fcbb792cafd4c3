import io

import pytest
from PIL import Image

from yoto_tf.demo.web.formats import FORMATS, decode, file_of_size
from yoto_tf.imaging.metrics import psnr

NAMES = pytest.mark.parametrize("name", FORMATS)


@NAMES
@pytest.mark.parametrize("size", [9_000, 20_000, 55_555])
def test_best_file_that_is_small_enough(photograph, size, name):
    data = file_of_size(photograph, size, name)
    assert 0.85 * size < len(data) <= size
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.format == name.upper()


@pytest.mark.parametrize("name", ["JPEG", "WebP"])
def test_any_quality_whose_file_fits_is_no_better(photograph, name):
    data = file_of_size(photograph, 20_000, name)
    best = psnr(photograph, decode(data))
    for quality in FORMATS[name].qualities[::5]:
        file = io.BytesIO()
        options = FORMATS[name].options
        Image.fromarray(photograph).save(file, name, quality=quality, **options)
        if file.tell() <= 20_000:
            assert psnr(photograph, decode(file.getvalue())) <= best


@NAMES
def test_more_bytes_than_any_quality_needs(photograph, name):
    data = file_of_size(photograph, 10**9, name)
    assert psnr(photograph, decode(data)) > 38


@NAMES
def test_fewer_bytes_than_any_quality_has(photograph, name):
    data = file_of_size(photograph, 10, name)
    assert len(data) > 10
    assert decode(data).shape == photograph.shape
