"""Transparency and metadata through a `.yoto` file and back."""

import dataclasses
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.data.images import read_image_and_alpha, read_picture
from yoto_tf.data.metadata import Metadata
from yoto_tf.errors import DataError, FormatError
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.coding.sections import Section
from yoto_tf.zoo.codec.extras import Extras, attach, num_bytes, with_alpha
from yoto_tf.zoo.codec.files import compress_files, decompress_files, describe

EXIF = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\1\0\0\0\0\0\0"
XMP = b"<x:xmpmeta/>"


@pytest.fixture
def here(tmp_path, monkeypatch, photograph):
    """The current folder, with a.png: transparent in part, with EXIF and XMP."""
    monkeypatch.chdir(tmp_path)
    image = photograph[200:260, 200:270]
    alpha = np.linspace(0, 255, 70).astype("uint8") * np.ones((60, 1), "uint8")
    write_image("a.png", np.dstack([image, alpha]), Metadata(exif=EXIF, xmp=XMP))
    return tmp_path


@pytest.mark.parametrize("how", [{"lossless": True}, {"quality": 0.9}])
def test_there_and_back(how, here, pretrained):
    compress_files("a.png", "a.yoto", metadata="all", **how)
    assert describe("a.yoto")["metadata"] == ["EXIF", "XMP", "ALPHA"]
    decompress_files("a.yoto", "b.png")
    on_white, alpha, metadata = read_picture("b.png", "all")
    expected, expected_alpha = read_image_and_alpha("a.png")
    np.testing.assert_array_equal(alpha, expected_alpha)
    error = np.abs(on_white.astype(int) - expected)
    assert error.max() <= 1 if "lossless" in how else error.mean() < 8
    assert metadata == Metadata(exif=EXIF, xmp=XMP)
    decompress_files("a.yoto", "b.jpg")
    assert read_picture("b.jpg", "all")[2] == metadata
    assert np.abs(read_image("b.jpg").astype(int) - on_white).mean() < 3


def test_the_codec_itself_gives_the_picture_on_white(here, pretrained, untrained_codec):
    compress_files("a.png", "a.yoto", quality=0.9)
    image = read_image("a.png")
    with open("a.yoto", "rb") as file:
        decoded = untrained_codec.decompress(file.read())
    expected = untrained_codec.decompress(untrained_codec.compress(image, quality=0.9))
    np.testing.assert_array_equal(decoded, expected)


def test_an_opaque_picture_takes_no_more(here, pretrained, untrained_codec):
    write_image("b.png", read_image("a.png"))
    compress_files("b.png", "b.yoto", quality=0.5)
    data = untrained_codec.compress(read_image("b.png"), quality=0.5)
    with open("b.yoto", "rb") as file:
        assert file.read() == data


def test_a_target_is_for_the_whole_file(here, pretrained):
    for end, quality in (("low", 0.0), ("high", 1.0)):
        compress_files("a.png", f"{end}.yoto", quality=quality, metadata="all")
    sizes = [describe(f"{end}.yoto")["bytes"] for end in ("low", "high")]
    wanted = sum(sizes) // 2
    [file] = compress_files("a.png", "c.yoto", target_size=wanted, metadata="all").files
    assert 0.98 * wanted <= file["bytes"] <= wanted
    rate = 8 * wanted / (60 * 70)
    [file] = compress_files("a.png", "d.yoto", target_bpp=rate, metadata="all").files
    assert file["bits_per_pixel"] == pytest.approx(rate, rel=0.02)
    with pytest.raises(DataError, match="bytes, more than the target"):
        compress_files("a.png", "e.yoto", target_size=20, metadata="all")


def test_a_profile_goes_through(here, capsys):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", (9, 7), "red").save("p.png", icc_profile=profile)
    command = "compress p.png p.yoto --lossless --metadata icc"
    assert main(command.split()) == 0
    assert main(["info", "p.yoto"]) == 0
    assert "holds    ICC\n" in capsys.readouterr().out
    assert main(["decompress", "p.yoto", "q.webp"]) == 0
    with Image.open("q.webp") as image:
        assert image.info["icc_profile"] == profile


def test_damaged_transparency_is_refused(here, capsys):
    assert main(["compress", "a.png", "a.yoto", "--lossless"]) == 0
    with open("a.yoto", "rb") as file:
        container = Container.from_bytes(file.read())
    damaged = dict(container.metadata)
    damaged[Section.ALPHA] = damaged[Section.ALPHA][:-3]
    with open("a.yoto", "wb") as file:
        file.write(dataclasses.replace(container, metadata=damaged).to_bytes())
    capsys.readouterr()
    assert main(["decompress", "a.yoto", "b.png"]) == 2
    assert capsys.readouterr().err.startswith("yoto: a.yoto: damaged data")


def test_too_much_metadata_is_refused():
    data = Container(bytes(8), (), 2, 2, (), lossless=b"").to_bytes()
    with pytest.raises(FormatError, match="section XMP of 16,777,217 bytes, expected"):
        attach(data, {Section.XMP: bytes(2**24 + 1)})


@given(st.binary(max_size=40), st.sampled_from([b"", b"II*\0", b"MM\0*\0\0\0\x08"]))
def test_damaged_metadata_of_a_file_costs_no_picture(data, head):
    metadata = Metadata(icc=data, exif=head + data, xmp=data)
    sections = Extras(metadata=metadata).sections()
    container = Container(b"8 bytes.", (0.5,), 8, 8, (b"", b""), metadata=sections)
    found = Extras.read(Container.from_bytes(container.to_bytes())).metadata
    image = np.zeros((8, 8, 3), "uint8")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("avif", "bmp", "jpg", "png", "tif", "webp"):
            write_image(f"{folder}/a.{suffix}", image, found)
            assert read_image(f"{folder}/a.{suffix}").shape == (8, 8, 3)


@given(st.binary(max_size=50), st.integers(1, 3))
def test_sections_make_a_file_longer_by_at_most_what_is_said(xmp, passes):
    metadata = Metadata(icc=xmp, exif=EXIF, xmp=xmp)
    sections = Extras(metadata=metadata).sections()
    data = Container(b"8 bytes.", (0.5,), 2, 2, (b"a",) * (1 + passes)).to_bytes()
    longer = len(attach(data, sections)) - len(data)
    assert 0 < longer <= num_bytes(sections)
    read = Extras.read(Container.from_bytes(attach(data, sections)))
    assert read == Extras(metadata=metadata.intact())


@given(arrays("uint8", (2, 3, 4)))
def test_on_white_it_looks_as_before(picture):
    """Colours are found again to rounding, which is coarse where little shows."""
    colors, alpha = picture[..., :3].astype(int), picture[..., 3:].astype(int)
    on_white = (colors * alpha + 255 * (255 - alpha) + 127) // 255
    found = with_alpha(on_white.astype("uint8"), picture[..., 3]).astype(int)
    again = (found[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255
    assert np.abs(again - on_white).max() <= 1
    error = np.abs(found[..., :3] - colors)
    assert (error <= 1 + 128 / np.maximum(alpha, 1)).all() or (alpha == 0).any()
