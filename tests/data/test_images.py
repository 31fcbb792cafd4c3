import os

import numpy as np
import pytest
from PIL import Image, ImageCms

from yoto_tf.data import image_files, read_image, write_image
from yoto_tf.errors import DataError


def coordinates(height, width):
    """A picture whose red is the row and whose green is the column of each pixel."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
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


class TestWriteImage:
    @pytest.mark.parametrize("image", [coordinates(5, 7), coordinates(5, 7)[..., 0]])
    def test_png_round_trip(self, tmp_path, image):
        write_image(tmp_path / "a.png", image)
        written = np.asarray(Image.open(tmp_path / "a.png"))
        np.testing.assert_array_equal(written, image)
        assert os.listdir(tmp_path) == ["a.png"]

    @pytest.mark.parametrize("name", ["a", "a.xyz", "a.yoto", "missing/a.png"])
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
