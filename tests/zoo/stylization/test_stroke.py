"""How large strokes are: what is chosen, and what comes of it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.zoo.stylization import stroke as module
from yoto_tf.zoo.stylization.file_conversion import FileStylizer
from yoto_tf.zoo.stylization.guided_upsampling import smaller, upsample
from yoto_tf.zoo.stylization.stroke import as_stroke, size_to_paint, stroke_in

WRONG = (0.99, 0, -2, float("nan"), float("inf"), 10**400, "large", "", None, [2, 3])


@pytest.fixture
def image(photograph):
    return photograph[100:200, 200:290]


@pytest.fixture
def narrow(monkeypatch):
    """Strokes grow from a shorter side of 45 pixels."""
    monkeypatch.setattr(module, "LARGEST_SIDE", 45)


def test_strokes_are_numbers_of_at_least_one_or_auto():
    assert [as_stroke(x) for x in ("auto", 1, "1", 2.5)] == ["auto", 1.0, 1.0, 2.5]
    for wrong in WRONG:
        with pytest.raises(CoefficientError, match="a stroke of 1 or more or auto"):
            as_stroke(wrong)


def test_auto_grows_with_the_picture():
    assert stroke_in("auto", 512, 768) == 1
    assert stroke_in("auto", 5000, 768) == 1
    assert stroke_in("auto", 4032, 3024) == pytest.approx(3.9375)
    assert size_to_paint("auto", 3024, 4032) == (768, 1024)
    assert size_to_paint(4, 3024, 4032) == (756, 1008)


@given(st.integers(16, 20_000), st.integers(16, 20_000))
def test_auto_paints_no_more_than_the_side(height, width):
    painted = size_to_paint("auto", height, width)
    assert min(painted) == min(height, width, 768)
    if min(height, width) <= 768:
        assert painted == (height, width)
    assert max(painted) == pytest.approx(
        max(height, width) / stroke_in("auto", height, width), abs=0.5
    )


def test_one_is_the_network_itself(stylizer, image):
    plain = stylizer.stylize(image, "dots", stroke=1)
    np.testing.assert_array_equal(stylizer.stylize(image, "dots"), plain)
    weights = np.float32([name == "dots" for name in stylizer.styles])
    inputs = {
        "image": image[None] / np.float32(255),
        "style": weights[None],
        "coefficients": stylizer.coefficients.vector()[None],
    }
    network = np.asarray(stylizer.model(inputs, training=False))[0] * 255
    assert np.abs(plain - network).max() < 1


def test_a_large_picture_looks_like_its_thumbnail(stylizer, image, narrow):
    large = stylizer.stylize(image, "dots")
    assert large.shape == image.shape
    small = smaller(image, 50, 45)
    thumbnail = stylizer.stylize(small, "dots")
    np.testing.assert_array_equal(large, upsample(thumbnail, small, image))
    np.testing.assert_array_equal(large, stylizer.stylize(image, "dots", stroke=2))

    def away(picture):
        return np.abs(smaller(picture, 50, 45).astype(float) - thumbnail).mean()

    assert away(large) < 0.4 * away(stylizer.stylize(image, "dots", stroke=1))


def test_with_all_else(stylizer, image):
    """Colours, mask and the photograph that shines through are of the full size."""
    mask = np.zeros(image.shape[:2], "uint8")
    mask[:, 40:] = 255
    how = {"mask": mask, "preserve_color": True, "strength": 0.7, "stroke": 2.5}
    masked = stylizer.stylize(image, "dots", **how)
    np.testing.assert_array_equal(masked[:, :40], image[:, :40])
    everywhere = stylizer.stylize(image, "dots", **{**how, "mask": None})
    np.testing.assert_array_equal(masked[:, 40:], everywhere[:, 40:])
    both = stylizer.stylize(image, "dots", outside="checks", **how)
    outside = stylizer.stylize(image, "checks", **{**how, "mask": None})
    np.testing.assert_array_equal(both[:, :40], outside[:, :40])
    faint = stylizer.stylize(image, "dots", strength=0, stroke=3)
    np.testing.assert_array_equal(faint, image)


def test_bad_strokes(stylizer, image):
    with pytest.raises(DataError, match=r"at most 5.62 for .* 90x100 pixels, got 6"):
        stylizer.stylize(image, "dots", stroke=6)
    assert stylizer.stylize(image, "dots", stroke=5.62).shape == image.shape
    for wrong in WRONG:
        with pytest.raises(CoefficientError, match="a stroke of 1 or more or auto"):
            stylizer.stylize(image, "dots", stroke=wrong)


def test_files_tell_the_stroke(stylizer, image, narrow, tmp_path):
    frames = [image, image[::-1]]
    write_image(tmp_path / "in.png", image)
    first, second = (Image.fromarray(frame) for frame in frames)
    first.save(tmp_path / "in.gif", save_all=True, append_images=[second])
    setting = stylizer.setting("dots")
    for suffix in (".png", ".gif"):
        paths = [tmp_path / f"{name}{suffix}" for name in ("in", "out")]
        assert FileStylizer(stylizer, setting)(*paths)["stroke"] == 2
        assert FileStylizer(stylizer, setting, stroke="1.5")(*paths)["stroke"] == 1.5


def test_a_film_that_was_interrupted_is_of_one_stroke(stylizer):
    setting = stylizer.setting("dots")
    jobs = [
        FileStylizer(stylizer, setting, stroke=x)._job() for x in ("auto", 2, 1, "2")
    ]
    assert jobs[0] != jobs[1] != jobs[2]
    assert jobs[1] == jobs[3]
    json.dumps(jobs)


def test_the_command(stylizer, stylizer_folder, image, tmp_path, capsys):
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    write_image(photo, image)
    command = ["stylize", str(photo), str(out), "--model", str(stylizer_folder)]
    dots = [*command, "--style", "dots"]
    assert main([*dots, "--stroke", "3", "--json"]) == 0
    [file] = json.loads(capsys.readouterr().out)["files"]
    assert file["stroke"] == 3
    expected = stylizer.stylize(image, "dots", stroke=3)
    np.testing.assert_array_equal(read_image(out), expected)
    assert main([*dots, "--verbose"]) == 0
    assert "stroke 1" in capsys.readouterr().out
    sheets = []
    for stroke in ("1", "3"):
        assert main([*command, "--random", "2", "--seed", "1", "--stroke", stroke]) == 0
        sheets.append(read_image(out))
    assert (sheets[0] != sheets[1]).mean() > 0.1
    capsys.readouterr()
    out.unlink()
    for wrong, message in (
        (["--stroke", "0.5"], "1 or more or auto, got 0.5"),
        (["--stroke", "big"], "1 or more or auto, got big"),
        (["--stroke", "9"], "photo.png: expected a stroke of at most 5.62"),
        (["--stroke", "0", "--engine", "ray"], "1 or more or auto, got 0"),
    ):
        for more in (["--style", "dots"], ["--random", "2"]):
            if "--engine" in wrong and "--random" in more:
                continue
            assert main([*command, *more, *wrong]) == 2
            error = capsys.readouterr().err
            assert message in error
            assert error.count("\n") == 1
    assert not out.exists()
