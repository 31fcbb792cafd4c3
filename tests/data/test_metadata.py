"""ICC profiles, EXIF and XMP, read from each format and written to it."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from yoto_tf.data import read_image, write_image
from yoto_tf.data.images import read_picture
from yoto_tf.data.metadata import Metadata, _upright_exif, _upright_xmp
from yoto_tf.errors import DataError

ORIENTATION, MAKER, EXIF_IFD, TAKEN = 0x0112, 0x010F, 0x8769, 0x9003
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
HOLD_ALL = ["png", "jpg", "webp", "avif", "tif"]


def profile_with_swapped_primaries():
    """A profile for RGB in which the channels red and green have changed places."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    for at in range(132, 132 + 12 * count, 12):
        name = bytes(data[at : at + 4])
        data[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
        if name == b"desc":
            start, length = struct.unpack_from(">II", data, at + 4)
            text = data[start : start + length].replace(
                b"\0s\0R\0G\0B", b"\0s\0w\0a\0p"
            )
            data[start : start + length] = text.replace(b"sRGB", b"swap")
    return bytes(data)


PROFILE = profile_with_swapped_primaries()


def exif(orientation=6):
    found = Image.Exif()
    found[ORIENTATION] = orientation
    found[MAKER] = "Maker"
    found.get_ifd(EXIF_IFD)[TAKEN] = "2026:01:02 03:04:05"
    return found.tobytes()


def parsed(data):
    found = Image.Exif()
    found.load(b"Exif\0\0" + data)
    return found


@pytest.fixture(params=HOLD_ALL)
def picture(request, tmp_path, photograph):
    """A picture of 30 × 20 pixels, turned, with all kinds of metadata."""
    path = tmp_path / f"in.{request.param}"
    options = {"exif": exif(), "icc_profile": PROFILE, "quality": 95}
    if request.param == "png":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    elif request.param == "tif":
        options["exif"] = Image.Exif()
        options["exif"].load(exif())
        options["exif"][700] = XMP
    else:
        options["xmp"] = XMP
    Image.fromarray(photograph[200:220, 200:230]).save(path, **options)
    return path


def test_all_of_it_is_read_and_upright(picture):
    image, alpha, found = read_picture(picture, "all")
    assert image.shape == (30, 20, 3)
    assert alpha is None
    assert found.icc == PROFILE
    tags = parsed(found.exif)
    assert (tags[ORIENTATION], tags[MAKER]) == (1, "Maker")
    assert tags.get_ifd(EXIF_IFD)[TAKEN] == "2026:01:02 03:04:05"
    assert found.xmp == XMP.replace(b'"6"', b'"1"')


def test_a_profile_that_is_kept_leaves_the_pixels_in_its_space(picture):
    converted = read_image(picture).astype(int)
    left, _, found = read_picture(picture, "icc")
    assert (found.exif, found.xmp) == (None, None)
    with Image.open(picture) as image:
        raw = np.asarray(image.convert("RGB"))
    # TIFF is turned by Pillow itself.
    raw = raw if picture.suffix == ".tif" else np.rot90(raw, -1)
    np.testing.assert_array_equal(left, raw)
    assert np.abs(converted - left).mean() > 3


def test_none_is_kept_by_default(picture):
    assert read_picture(picture)[2] == Metadata()
    with pytest.raises(DataError, match="expected metadata of none, icc, all, got"):
        read_picture(picture, "some")


@pytest.mark.parametrize("suffix", HOLD_ALL)
def test_all_of_it_is_written_and_read_again(suffix, tmp_path, photograph):
    wanted = Metadata(PROFILE, exif(1)[6:], XMP.replace(b'"6"', b'"1"'))
    write_image(tmp_path / f"a.{suffix}", photograph[:20, :30], wanted)
    image, _, found = read_picture(tmp_path / f"a.{suffix}", "all")
    assert (found.icc, found.xmp) == (wanted.icc, wanted.xmp)
    # Of AVIF, Pillow writes the orientation elsewhere.
    tags = parsed(found.exif)
    assert (tags.get(ORIENTATION, 1), tags[MAKER]) == (1, "Maker")
    assert tags.get_ifd(EXIF_IFD)[TAKEN] == "2026:01:02 03:04:05"
    assert image.shape == (20, 30, 3)


@pytest.mark.parametrize("suffix", ["bmp", "ppm"])
def test_without_a_profile_the_pixels_become_srgb(suffix, tmp_path, photograph):
    image = photograph[:20, :30]
    write_image(tmp_path / "a.png", image, Metadata(icc=PROFILE))
    write_image(tmp_path / f"b.{suffix}", image, Metadata(icc=PROFILE))
    expected = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / f"b.{suffix}"), expected)


def test_a_profile_for_other_channels_is_not_kept(tmp_path):
    profile = bytearray(PROFILE)
    profile[16:20] = b"CMYK"
    image = Image.new("RGB", (8, 8), "red")
    image.save(tmp_path / "a.jpg", icc_profile=bytes(profile))
    assert read_picture(tmp_path / "a.jpg", "icc")[2] == Metadata()


def test_metadata_never_costs_a_picture(tmp_path):
    image = Image.new("RGB", (8, 8), "red")
    image.save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff", xmp=b"\xff")
    assert read_picture(tmp_path / "a.jpg", "all")[2] == Metadata()
    long = Metadata(exif=exif(1)[6:] + bytes(70_000), xmp=b" " * 70_000)
    write_image(tmp_path / "b.jpg", np.zeros((8, 8, 3), "uint8"), long)
    assert read_picture(tmp_path / "b.jpg", "all")[2] == Metadata()


def test_a_packed_text_of_a_png_that_grows_without_end(tmp_path):
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    head, tail = content.getvalue()[:33], content.getvalue()[33:]
    packed = zlib.compress(bytes(2**26))
    data = b"iTXtXML:com.adobe.xmp\0\1\0\0\0" + packed
    chunk = struct.pack(">I", len(data) - 4) + data
    chunk += zlib.crc32(data).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(head + chunk + tail)
    found = read_picture(tmp_path / "a.png", "all")[2]
    assert len(found.xmp) <= 2**24


@given(st.binary(max_size=80))
def test_any_exif_is_understood_or_left_out(data):
    for head in (b"", b"Exif\0\0II*\0", b"MM\0*\0\0\0\x08"):
        found = _upright_exif(head + data)
        assert found is None or len(found) == len(
            (head + data).removeprefix(b"Exif\0\0")
        )


@given(st.binary(max_size=80), st.binary(max_size=20))
def test_a_tiff_is_written_with_any_exif_or_without(data, xmp):
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        options = Metadata(exif=head + data, xmp=xmp).options("TIFF")
        file = io.BytesIO()
        Image.new("RGB", (3, 2), "red").save(file, "TIFF", **options)
        with Image.open(file) as image:
            assert image.size == (3, 2)
            assert image.getpixel((0, 0)) == (255, 0, 0)


def test_a_tiff_has_no_exif_where_it_says_nothing(tmp_path, photograph):
    Image.fromarray(photograph[:5, :6]).save(tmp_path / "a.tif")
    assert read_picture(tmp_path / "a.tif", "all")[2] == Metadata()


def test_a_turned_picture_loses_its_thumbnail():
    data = bytearray(exif()[6:])
    [first] = struct.unpack_from(">I" if data[:2] == b"MM" else "<I", data, 4)
    order = "big" if data[:2] == b"MM" else "little"
    count = int.from_bytes(data[first : first + 2], order)
    after = first + 2 + 12 * count
    data[after : after + 4] = (8).to_bytes(4, order)
    assert _upright_exif(bytes(data))[after : after + 4] == bytes(4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"<a tiff:Orientation='8'/>", b"<a tiff:Orientation='1'/>"),
        (b"<tiff:Orientation>3</tiff:Orientation>", None),
        (b'<a tiff:Make="6"/>', b'<a tiff:Make="6"/>'),
    ],
)
def test_orientation_of_xmp(text, expected):
    expected = expected or text.replace(b"3", b"1")
    assert _upright_xmp(text) == expected
