import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from yoto_tf.data import image_files, read_image, write_image
from yoto_tf.data.images import read_image_and_alpha
from yoto_tf.errors import DataError


def coordinates(height, width):
    """A picture whose red is the row and whose green is the column of each pixel."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def png(path, height, width, depth, color, rows, **chunks):
    """Writes a PNG of any depth by hand, with further chunks before its pixels."""

    def chunk(name, data):
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = b"".join(b"\0" + row for row in rows)
    parts = [chunk(b"IHDR", header)]
    parts += [chunk(name.encode(), data) for name, data in chunks.items()]
    parts += [chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    return path


def tiff(path, bits, values, white_is_zero=False, sample_format=1, orientation=1):
    """Writes a grey TIFF [height, width] of any depth by hand (TIFF 6.0)."""
    height, width = values.shape
    if bits == 12:
        pairs = values.reshape(-1, 2).tolist()
        data = b"".join(
            bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255]) for a, b in pairs
        )
    else:
        data = values.astype(f"<u{bits // 8}").tobytes()
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: int(not white_is_zero)}
    tags |= {273: 0, 274: orientation, 277: 1, 278: height, 279: len(data)}
    tags |= {339: sample_format}
    tags[273] = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, x) for tag, x in tags.items())
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags))
    path.write_bytes(head + entries + bytes(4) + data)
    return path


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


class TestImageFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "b").mkdir()
        for name in ("c.JPG", "b/a.png", "a.webp", "notes.txt", "._a.png"):
            (tmp_path / name).touch()
        return tmp_path

    def test_folder_is_searched_recursively_and_sorted(self, folder):
        found = [str(path.relative_to(folder)) for path in image_files(folder)]
        assert found == ["a.webp", "b/a.png", "c.JPG"]

    def test_glob(self, folder):
        assert image_files(f"{folder}/**/*.png") == [folder / "b" / "a.png"]

    def test_file_whose_name_looks_like_a_glob(self, tmp_path):
        path = tmp_path / "a[1].png"
        path.touch()
        assert image_files(path) == [path]

    @pytest.mark.parametrize("name", ["missing", "*.tif", "empty"])
    def test_nothing_found(self, folder, name):
        (folder / "empty").mkdir()
        with pytest.raises(DataError) as error:
            image_files(folder / name)
        assert name in one_line(error)


class TestReadImage:
    def test_rgb_is_unchanged(self, tmp_path):
        expected = coordinates(5, 7)
        image = read_image(save(tmp_path / "a.png", expected))
        np.testing.assert_array_equal(image, expected)
        assert image.dtype == np.uint8

    def test_exif_orientation_is_applied(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6  # Exif 2.3: row 0 of the file is the right side of the scene.
        path = save(tmp_path / "a.png", coordinates(5, 7), exif=exif)
        np.testing.assert_array_equal(read_image(path), np.rot90(coordinates(5, 7), -1))

    def test_grey(self, tmp_path):
        grey = coordinates(5, 7)[..., 1]
        image = read_image(save(tmp_path / "a.png", grey))
        np.testing.assert_array_equal(image, np.repeat(grey[..., None], 3, axis=-1))

    def test_one_bit(self, tmp_path):
        Image.fromarray(np.eye(4, dtype=bool)).save(tmp_path / "a.png")
        image = read_image(tmp_path / "a.png")
        np.testing.assert_array_equal(image[..., 0], 255 * np.eye(4))

    def test_16_bit_grey_is_scaled_not_clipped(self, tmp_path):
        values = np.array([[0, 257, 128 * 257, 65535, 300]], np.uint16)
        image = read_image(save(tmp_path / "a.png", values))
        np.testing.assert_array_equal(image[..., 0], [[0, 1, 128, 255, 1]])

    def test_palette(self, tmp_path):
        image = Image.new("P", (2, 1))
        image.putpalette([10, 20, 30, 200, 100, 50])
        image.putdata([1, 0])
        image.save(tmp_path / "a.png")
        expected = [[[200, 100, 50], [10, 20, 30]]]
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), expected)

    def test_alpha_is_composited_on_white(self, tmp_path):
        rgba = np.array([[[10, 20, 30, 0], [10, 20, 30, 255], [0, 0, 0, 51]]], np.uint8)
        image = read_image(save(tmp_path / "a.png", rgba))
        expected = [[[255, 255, 255], [10, 20, 30], [204, 204, 204]]]
        np.testing.assert_array_equal(image, expected)

    def test_transparent_colour_of_a_palette_becomes_white(self, tmp_path):
        image = Image.new("P", (2, 1))
        image.putpalette([10, 20, 30, 200, 100, 50])
        image.putdata([1, 0])
        image.save(tmp_path / "a.gif", transparency=0)
        expected = [[[200, 100, 50], [255, 255, 255]]]
        np.testing.assert_array_equal(read_image(tmp_path / "a.gif"), expected)

    def test_cmyk_jpeg(self, tmp_path):
        cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
        cyan.save(tmp_path / "a.jpg", quality=95)
        assert (
            np.abs(read_image(tmp_path / "a.jpg") - np.array([0.0, 255, 255])).max() < 4
        )

    def test_icc_profile_is_converted_to_srgb(self, tmp_path):
        # A profile whose red and blue primaries are exchanged: D50-adapted sRGB with
        # the tags rXYZ and bXYZ (ICC.1:2022, table of tags) swapped.
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        profile = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ")
        profile = profile.replace(b"????", b"bXYZ").replace(
            b"s\0R\0G\0B", b"t\0e\0s\0t"
        )
        red = np.full((4, 4, 3), [255, 0, 0], np.uint8)
        path = save(tmp_path / "a.png", red, icc_profile=profile)
        assert np.abs(read_image(path) - np.array([0.0, 0, 255])).max() <= 2

    def test_srgb_profile_changes_nothing(self, tmp_path):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        path = save(tmp_path / "a.png", coordinates(9, 9), icc_profile=profile)
        np.testing.assert_array_equal(read_image(path), coordinates(9, 9))

    def test_damaged_profile_is_ignored(self, tmp_path):
        path = save(tmp_path / "a.png", coordinates(9, 9), icc_profile=b"nonsense")
        np.testing.assert_array_equal(read_image(path), coordinates(9, 9))

    @pytest.mark.parametrize("keep", [0.02, 0.5, 0.95])
    @pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tif", "gif"])
    def test_truncated(self, tmp_path, suffix, keep):
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        path = save(tmp_path / f"cut.{suffix}", noise)
        path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
        with pytest.raises(DataError) as error:
            read_image(path)
        assert str(path) in one_line(error)

    @pytest.mark.parametrize(
        ("content", "reason"),
        [(b"", "empty"), (b"not a picture\n" * 9, "not a picture"), (None, "No such")],
    )
    def test_not_an_image(self, tmp_path, content, reason):
        path = tmp_path / "a.png"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=reason) as error:
            read_image(path)
        assert str(path) in one_line(error)

    def test_folder(self, tmp_path):
        with pytest.raises(DataError, match="directory"):
            read_image(tmp_path)

    def test_decompression_bomb(self, tmp_path):
        path = tmp_path / "bomb.png"
        Image.new("1", (20000, 20000)).save(path)
        with pytest.raises(DataError, match="bomb") as error:
            read_image(path)
        one_line(error)

    def test_floating_point_picture(self, tmp_path):
        path = save(tmp_path / "a.tif", np.ones((4, 4), np.float32))
        with pytest.raises(DataError, match="floating-point"):
            read_image(path)

    @pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
    def test_transparent_grey_of_a_png(self, tmp_path, depth):
        """Every grey of the depth in a row, the second of them transparent."""
        white = 2**depth - 1
        greys = np.linspace(0, white, min(white + 1, 8)).astype(int)
        if depth < 8:
            bits = "".join(f"{grey:0{depth}b}" for grey in greys).ljust(32, "0")
            row = bytes(int(bits[i : i + 8], 2) for i in range(0, 32, 8))
            row = row[: -(-len(greys) * depth // 8)]
        else:
            row = greys.astype(f">u{depth // 8}").tobytes()
        trns = struct.pack(">H", greys[1])
        path = png(tmp_path / "a.png", 1, len(greys), depth, 0, [row], tRNS=trns)
        expected = np.rint(greys * 255 / white)
        expected[1] = 255
        image, alpha = read_image_and_alpha(path)
        np.testing.assert_array_equal(image[0, :, 0], expected)
        np.testing.assert_array_equal(alpha[0], 255 * (greys != greys[1]))

    @pytest.mark.parametrize("depth", [8, 16])
    def test_transparent_colour_of_a_png(self, tmp_path, depth):
        colors = np.array([[10, 20, 30], [40, 50, 60]]) * (257 if depth == 16 else 1)
        kind = f">u{depth // 8}"
        row, trns = colors.astype(kind).tobytes(), colors[1].astype(">u2").tobytes()
        path = png(tmp_path / "a.png", 1, 2, depth, 2, [row], tRNS=trns)
        expected = [[[10, 20, 30], [255, 255, 255]]]
        np.testing.assert_array_equal(read_image(path), expected)

    @pytest.mark.parametrize("white_is_zero", [False, True])
    @pytest.mark.parametrize("bits", [8, 12, 16, 32])
    def test_grey_tiffs_of_all_depths(self, tmp_path, bits, white_is_zero):
        levels = np.linspace(0, 1, 64 * 48).reshape(48, 64)
        values = np.rint(levels * (2**bits - 1)).astype(np.int64)
        path = tiff(tmp_path / "a.tif", bits, values, white_is_zero)
        if white_is_zero and bits in (12, 32):
            # Pillow knows none; what is not right is refused.
            with pytest.raises(DataError, match="not a picture in a known format"):
                read_image(path)
            return
        expected = 255 * (1 - levels if white_is_zero else levels)
        assert np.abs(read_image(path)[..., 0] - expected).max() <= 0.54

    def test_a_tiff_of_16_bits_is_turned_upright(self, tmp_path):
        values = np.arange(12).reshape(3, 4) * 5000
        image = read_image(tiff(tmp_path / "a.tif", 16, values, orientation=6))
        expected = np.rot90(np.rint(values / 257), -1)
        np.testing.assert_array_equal(image[..., 0], expected)

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("compression", [None, "tiff_lzw", "jpeg"])
    def test_tiffs_are_turned_upright(self, tmp_path, compression, orientation):
        image = np.repeat(np.repeat(coordinates(5, 7) * 20, 16, 0), 16, 1)
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = save(tmp_path / "a.tif", image, exif=exif, compression=compression)
        # Exif 2.3: where row 0 and column 0 of the file are in the scene.
        turned = {
            1: image,
            2: image[:, ::-1],
            3: image[::-1, ::-1],
            4: image[::-1],
            5: image.transpose(1, 0, 2),
            6: np.rot90(image, -1),
            7: image[::-1, ::-1].transpose(1, 0, 2),
            8: np.rot90(image),
        }[orientation]
        found = read_image(path)
        assert found.shape == turned.shape
        assert np.abs(found.astype(int) - turned).mean() < (8 if compression else 1e-9)

    @pytest.mark.parametrize("bits", [16, 32])
    def test_signed_numbers_are_refused(self, tmp_path, bits):
        path = tiff(tmp_path / "a.tif", bits, np.ones((4, 4), int), sample_format=2)
        with pytest.raises(DataError, match="signed numbers have no defined white"):
            read_image(path)

    def test_metadata_never_costs_a_picture(self, tmp_path):
        image, path = coordinates(9, 9), tmp_path / "a.png"
        text = PngImagePlugin.PngInfo()
        text.add_text("parameters", "a" * (3 << 20), zip=True)
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        for options in (
            {"pnginfo": text},
            {"icc_profile": profile + bytes(2 << 20)},
            {"exif": b"Exif\0\0nonsense"},
        ):
            np.testing.assert_array_equal(
                read_image(save(path, image, **options)), image
            )
        rows = [row.tobytes() for row in image]
        for name in ("zTXt", "iTXt", "tEXt", "iCCP", "eXIf", "pHYs", "gAMA", "sPLT"):
            for data in (b"", b"x", b"name\0\0no zlib", b"name\0\1" + bytes(9)):
                png(path, 9, 9, 8, 2, rows, **{name: data})
                np.testing.assert_array_equal(read_image(path), image, err_msg=name)
        png(path, 9, 9, 8, 2, rows, tEXt=b"name\0text")
        content = path.read_bytes().replace(b"name\0text", b"name\0tex!")
        path.write_bytes(content)
        np.testing.assert_array_equal(read_image(path), image)

    def test_a_large_profile_of_a_png_counts(self, tmp_path):
        profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        profile = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ")
        profile = profile.replace(b"????", b"bXYZ") + bytes(2 << 20)
        profile = profile.replace(b"s\0R\0G\0B", b"t\0e\0s\0t")
        red = np.full((4, 4, 3), [255, 0, 0], np.uint8)
        path = save(tmp_path / "a.png", red, icc_profile=profile)
        assert np.abs(read_image(path) - np.array([0.0, 0, 255])).max() <= 2

    @pytest.mark.skipif(os.name != "posix", reason="a script stands for Ghostscript")
    def test_formats_that_are_not_meant_run_no_program(self, tmp_path, monkeypatch):
        program = tmp_path / "gs"
        program.write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        (tmp_path / "a.png").write_text(
            "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n"
        )
        with pytest.raises(DataError, match="not a picture in a known format"):
            read_image(tmp_path / "a.png")
        assert not (tmp_path / "called").exists()

    def test_a_video_is_called_one(self, tmp_path):
        head = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"
        (tmp_path / "clip.png").write_bytes(head + bytes(99))
        with pytest.raises(DataError, match="it is a video, expected a picture"):
            read_image(tmp_path / "clip.png")

    @pytest.mark.parametrize("suffix", ["gif", "webp", "tif", "png"])
    def test_of_several_frames_the_first_is_read_and_that_is_said(
        self, tmp_path, suffix
    ):
        frames = [Image.new("RGB", (9, 9), color) for color in ("red", "lime")]
        path = tmp_path / f"a.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        with pytest.warns(UserWarning, match="several frames or pages: only the first"):
            image = read_image(path)
        assert np.abs(image - np.array([255.0, 0, 0])).max() < 4

    @pytest.mark.filterwarnings("error")
    def test_a_phones_mpo_is_one_picture(self, tmp_path):
        picture = Image.fromarray(coordinates(32, 48))
        preview = picture.resize((24, 16))
        picture.save(
            tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[preview]
        )
        assert read_image(tmp_path / "a.jpg").shape == (32, 48, 3)

    def test_a_damaged_later_frame_is_none_of_our_business(self, tmp_path):
        path = gif_with_a_huge_frame(tmp_path / "a.gif")
        with pytest.warns(UserWarning, match="several frames"):
            assert read_image(path).shape == (24, 24, 3)


def gif_with_a_huge_frame(path):
    """A GIF whose second frame says that it has 65,535 × 65,535 pixels."""
    frames = [Image.new("RGB", (24, 24), (50 * i, 0, 0)) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    data = bytearray(path.read_bytes())
    starts = [
        i
        for i in range(len(data) - 9)
        if data[i] == 0x2C and data[i - 1] == 0 and data[i + 9] & 0x38 == 0
    ]
    data[starts[1] + 5 : starts[1] + 9] = b"\xff" * 4
    path.write_bytes(data)
    return path


class TestWriteImage:
    @pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
    def test_alpha(self, tmp_path, suffix):
        rgba = np.dstack([coordinates(5, 7), np.full((5, 7), 51, np.uint8)])
        write_image(tmp_path / f"a.{suffix}", rgba)
        written = np.asarray(Image.open(tmp_path / f"a.{suffix}"))
        np.testing.assert_array_equal(written[..., 3], rgba[..., 3])

    @pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
    def test_the_file_behind_a_link(self, tmp_path):
        (tmp_path / "real.png").write_bytes(b"old")
        (tmp_path / "link.png").symlink_to("real.png")
        write_image(tmp_path / "link.png", coordinates(5, 7))
        assert (tmp_path / "link.png").is_symlink()
        np.testing.assert_array_equal(
            read_image(tmp_path / "real.png"), coordinates(5, 7)
        )

    @pytest.mark.parametrize("image", [coordinates(5, 7), coordinates(5, 7)[..., 0]])
    def test_png_round_trip(self, tmp_path, image):
        write_image(tmp_path / "a.png", image)
        written = np.asarray(Image.open(tmp_path / "a.png"))
        np.testing.assert_array_equal(written, image)
        assert os.listdir(tmp_path) == ["a.png"]

    @pytest.mark.parametrize("name", ["a", "a.xyz", "a.yoto", "a.pdf", "missing/a.png"])
    def test_refused_names(self, tmp_path, name):
        with pytest.raises(DataError) as error:
            write_image(tmp_path / name, coordinates(5, 7))
        assert name in one_line(error)
        assert os.listdir(tmp_path) == []

    def test_failure_leaves_the_old_file(self, tmp_path):
        # 16,384 pixels are one more than WebP's header can name.
        path = tmp_path / "a.webp"
        path.write_bytes(b"old")
        with pytest.raises(DataError):
            write_image(path, np.zeros((1, 16384, 3), np.uint8))
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["a.webp"]

    @pytest.mark.parametrize(
        "array", [np.zeros((4, 4, 3)), np.zeros((1, 4, 4, 3), np.uint8)]
    )
    def test_refused_arrays(self, tmp_path, array):
        with pytest.raises(ValueError, match="uint8"):
            write_image(tmp_path / "a.png", array)
