import sys

import numpy as np
import pytest
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.data import image_files, read_image, write_image
from yoto_tf.data.heif import is_heif
from yoto_tf.errors import DataError


@pytest.fixture
def heic(tmp_path, photograph):
    """A phone's picture: 60 × 40 pixels, to be turned by 90° for display."""
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    image = Image.fromarray(photograph[200:240, 200:260])
    image.getexif()[0x0112] = 6
    path = tmp_path / "IMG_1.HEIC"
    image.save(path, "HEIF", quality=95)
    return path


def test_a_phones_picture_is_read_upright(heic, photograph):
    image = read_image(heic)
    assert image.shape == (60, 40, 3)
    upright = np.rot90(photograph[200:240, 200:260], -1)
    assert np.abs(image.astype(int) - upright).mean() < 4
    assert image_files(heic.parent) == [heic]


def test_it_is_known_by_its_content(heic, tmp_path):
    misnamed = tmp_path / "photo.jpg"
    heic.rename(misnamed)
    assert read_image(misnamed).shape == (60, 40, 3)


@pytest.mark.parametrize("suffix", ["avif", "png", "jpg"])
def test_others_are_not_taken_for_it(suffix, tmp_path, photograph):
    path = tmp_path / f"a.{suffix}"
    write_image(path, photograph[:20, :20])
    assert not is_heif(path)


@pytest.mark.parametrize(
    ("brands", "expected"),
    [
        (b"heic\0\0\0\0mif1", True),
        (b"mif1\0\0\0\0heic", True),
        (b"mif1\0\0\0\0avif", False),
        (b"avif\0\0\0\0mif1", False),
        (b"isom\0\0\0\0mp42", False),
    ],
)
def test_brands(brands, expected, tmp_path):
    box = (8 + len(brands)).to_bytes(4, "big") + b"ftyp" + brands
    (tmp_path / "file").write_bytes(box + b"avif")
    assert is_heif(tmp_path / "file") == expected


def test_without_the_extra_the_error_names_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "a.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(DataError, match=r"a\.heic: HEIC needs the extra heif,"):
        read_image(path)


def test_a_damaged_one_is_a_data_error(heic):
    heic.write_bytes(heic.read_bytes()[:300])
    with pytest.raises(DataError, match=r"cannot read .*IMG_1\.HEIC"):
        read_image(heic)


def test_it_is_compressed_and_not_written(heic, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["compress", "--lossless", "IMG_1.HEIC", "a.yoto"]) == 0
    assert main(["decompress", "a.yoto", "a.heic"]) == 2
    assert "expected a picture suffix" in capsys.readouterr().err
