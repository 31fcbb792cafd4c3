import numpy as np
import pytest
from PIL import Image

from yoto_tf.demo.web.pictures import read_upload, scaled_down
from yoto_tf.errors import DataError


def test_picture_within_the_limit_is_as_it_is(tmp_path, photograph):
    image = photograph[:60, :70]
    Image.fromarray(image).save(tmp_path / "a.png")
    read, note = read_upload(tmp_path / "a.png", 60 * 70)
    np.testing.assert_array_equal(read, image)
    assert note == ""


def test_larger_picture_is_scaled_down_with_a_word(tmp_path, photograph):
    Image.fromarray(photograph).save(tmp_path / "a.png")
    read, note = read_upload(tmp_path / "a.png", 150 * 128)
    assert read.shape == (150, 128, 3)
    assert "from 512 × 600 to 128 × 150 pixels" in note
    # The same picture, only smaller.
    means = photograph.reshape(150, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(means - read).mean() < 3


@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1), (3, 2000), (40, 50)])
def test_scaled_down_keeps_within_the_limit(shape):
    image, note = scaled_down(np.zeros((*shape, 3), "uint8"), 1000)
    assert 0 < image.shape[0] * image.shape[1] <= 1000
    assert note


def test_text_that_is_called_a_picture(tmp_path):
    path = tmp_path / "photo.png"
    path.write_text("Dear Sir or Madam,\nthis is a letter.\n")
    with pytest.raises(DataError) as raised:
        read_upload(path)
    message = str(raised.value)
    assert message == "cannot read photo.png: not a picture in a known format"


def test_too_many_pixels_to_decode(tmp_path):
    path = tmp_path / "huge.png"
    Image.new("1", (30_000, 3_000)).save(path)
    with pytest.raises(DataError, match=r"^huge\.png has more than 64 megapixels"):
        read_upload(path)
    # So many that Pillow refuses even to open it.
    Image.new("1", (30_000, 15_000)).save(path)
    with pytest.raises(DataError, match=r"^huge\.png has more than 64 megapixels"):
        read_upload(path)


def test_deleted_picture(tmp_path):
    with pytest.raises(DataError, match=r"^a\.png has been deleted"):
        read_upload(tmp_path / "a.png")
