import os

import numpy as np
import pytest
from PIL import Image

from yoto_tf.data import read_image
from yoto_tf.errors import CoefficientError, DataError, RecipeError
from yoto_tf.zoo.stylization.animation import convert_animation
from yoto_tf.zoo.stylization.files import stylize_files, write_contact_sheet
from yoto_tf.zoo.stylization.styles import StyleError


@pytest.fixture
def picture(photograph, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(photograph[:40, :50]).save(path)
    return path


@pytest.fixture
def model(stylizer_folder):
    return stylizer_folder


def test_a_file(stylizer, model, picture, tmp_path):
    target = tmp_path / "out.png"
    report = stylize_files(
        picture, target, "dots=3,checks=1", model, preserve_color=True, content=0.5
    )
    assert report.failed == []
    [file] = report.files
    assert file["input"] == str(picture)
    assert file["output"] == str(target)
    assert file["style"] == {"checks": 0.25, "dots": 0.75}
    assert file["coefficients"]["content"] == 0.5
    expected = stylizer.stylize(
        read_image(picture), "dots=3,checks=1", preserve_color=True, content=0.5
    )
    np.testing.assert_array_equal(read_image(target), expected)


def test_a_folder_with_a_picture_that_fails(model, photograph, tmp_path):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    Image.fromarray(photograph[:20, :20]).save(folder / "a.png")
    Image.fromarray(photograph[:24, :20]).save(folder / "sub" / "b.jpg")
    Image.fromarray(photograph[:8, :8]).save(folder / "small.png")
    report = stylize_files(folder, tmp_path / "out", "dots", model)
    assert read_image(tmp_path / "out" / "a.png").shape == (20, 20, 3)
    assert read_image(tmp_path / "out" / "sub" / "b.jpg").shape == (24, 20, 3)
    assert len(report.files) == 2
    [failure] = report.failed
    assert failure["input"] == str(folder / "small.png")
    assert "expected a picture of at least 16x16" in failure["error"]
    assert not (tmp_path / "out" / "small.png").exists()


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation(stylizer, model, photograph, tmp_path, suffix):
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    frames = [Image.fromarray(photograph[y : y + 32, :40]) for y in (0, 60, 120)]
    frames[0].save(
        source,
        save_all=True,
        append_images=frames[1:],
        duration=[50, 120, 70],
        loop=0,
        lossless=True,
    )
    stylize_files(source, target, "stripes", model)
    with Image.open(source) as before, Image.open(target) as after:
        assert after.n_frames == 3
        assert after.size == (40, 32)
        assert after.info["loop"] == 0
        for number, duration in enumerate((50, 120, 70)):
            before.seek(number)
            after.seek(number)
            frame = np.array(before.convert("RGB"))
            expected = stylizer.stylize(frame, "stripes").astype(int)
            actual = np.array(after.convert("RGB")).astype(int)
            # A palette or a lossy code lies between.
            assert np.abs(actual - expected).mean() < 12
            if suffix == ".gif":
                assert after.info["duration"] == duration


def test_of_an_animation_the_first_frame(stylizer, model, photograph, tmp_path):
    frames = [Image.fromarray(photograph[y : y + 32, :40]) for y in (0, 60)]
    frames[0].save(tmp_path / "in.gif", save_all=True, append_images=frames[1:])
    stylize_files(tmp_path / "in.gif", tmp_path / "out.png", "dots", model)
    expected = stylizer.stylize(read_image(tmp_path / "in.gif"), "dots")
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), expected)


def save_animation(path, photograph, durations, **options):
    frames = [Image.fromarray(photograph[y : y + 32, :40]) for y in (0, 60, 120)]
    frames[0].save(
        path, save_all=True, append_images=frames[1:], duration=durations, **options
    )


def durations_and_loop(path):
    durations = []
    with Image.open(path) as image:
        loop = image.info.get("loop")
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            durations.append(image.info["duration"])
    return durations, loop


@pytest.mark.parametrize(
    ("source", "loop", "as_gif", "as_webp"),
    [
        # A GIF tells how often it is shown again, the others how often it is shown.
        ("in.gif", None, None, 1),
        ("in.gif", 0, 0, 0),
        ("in.gif", 2, 2, 3),
        ("in.webp", 0, 0, 0),
        ("in.webp", 1, None, 1),
        ("in.webp", 3, 2, 3),
        ("in.png", 1, None, 1),
        ("in.png", 0, 0, 0),
    ],
)
def test_durations_and_number_of_showings(
    photograph, tmp_path, source, loop, as_gif, as_webp
):
    options = {} if loop is None else {"loop": loop}
    durations = [2000, 1000, 500]
    save_animation(tmp_path / source, photograph, durations, **options)
    for suffix, expected in (("gif", as_gif), ("webp", as_webp)):
        target = tmp_path / f"out.{suffix}"
        convert_animation(tmp_path / source, target, lambda frame: 255 - frame)
        assert durations_and_loop(target) == (durations, expected)


def test_a_phones_mpo_is_one_still_picture(model, photograph, tmp_path):
    picture = Image.fromarray(photograph[:40, :50])
    (tmp_path / "in").mkdir()
    # Whatever it is called.
    picture.save(
        tmp_path / "in" / "a.webp",
        format="MPO",
        save_all=True,
        append_images=[picture.resize((24, 16))],
    )
    picture.save(tmp_path / "in" / "b.png")
    report = stylize_files(tmp_path / "in", tmp_path / "out", "dots", model)
    assert report.failed == []
    with Image.open(tmp_path / "out" / "a.webp") as image:
        assert (image.n_frames, image.size) == (1, (50, 40))


def test_a_damaged_animation_does_not_end_the_folder(model, photograph, tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ac":
        Image.fromarray(photograph[:40, :50]).save(tmp_path / "in" / f"{name}.png")
    gif = tmp_path / "in" / "b.gif"
    frames = [Image.fromarray(photograph[y : y + 24, :24]) for y in (0, 30)]
    frames[0].save(gif, save_all=True, append_images=frames[1:])
    gif.write_bytes(gif.read_bytes()[:-400])
    report = stylize_files(tmp_path / "in", tmp_path / "out", "dots", model)
    assert [failure["input"] for failure in report.failed] == [str(gif)]
    assert sorted(os.listdir(tmp_path / "out")) == ["a.png", "c.png"]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
def test_what_is_transparent_stays_so(stylizer, model, photograph, tmp_path, suffix):
    rgba = np.dstack([photograph[:40, :50], np.full((40, 50), 255, "uint8")])
    rgba[:20, :, 3] = 0
    rgba[20:30, :, 3] = 128
    Image.fromarray(rgba).save(tmp_path / "in.png")
    target = tmp_path / f"out{suffix}"
    stylize_files(tmp_path / "in.png", target, "dots", model)
    with Image.open(target) as image:
        if suffix == ".jpg":
            assert image.mode == "RGB"
            return
        written = np.array(image)
    np.testing.assert_array_equal(written[..., 3], rgba[..., 3])
    if suffix == ".png":
        expected = stylizer.stylize(read_image(tmp_path / "in.png"), "dots")
        np.testing.assert_array_equal(written[..., :3], expected)


def test_an_animation_that_fails_leaves_no_file(model, photograph, tmp_path):
    source = tmp_path / "in.gif"
    frames = [Image.fromarray(photograph[y : y + 8, :40]) for y in (0, 60, 120)]
    frames[0].save(source, save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=r"in\.gif: expected a picture of at least"):
        stylize_files(source, tmp_path / "out.gif", "dots", model)
    assert [path.name for path in tmp_path.iterdir()] == ["in.gif"]


def test_bad_settings_write_nothing(model, picture, tmp_path):
    target = tmp_path / "out.png"
    with pytest.raises(StyleError):
        stylize_files(picture, target, "dot", model)
    with pytest.raises(CoefficientError):
        stylize_files(picture, target, "dots", model, content=7)
    with pytest.raises(DataError, match="is the input"):
        stylize_files(picture, picture, "dots", model)
    with pytest.raises(DataError, match="there is no folder"):
        stylize_files(picture, tmp_path / "none" / "out.png", "dots", model)
    assert not target.exists()


def test_a_model_that_is_no_stylizer(release_folder, picture, tmp_path):
    with pytest.raises(RecipeError, match="family codec, expected a stylizer"):
        stylize_files(picture, tmp_path / "out.png", "dots", release_folder)


def test_a_sheet_of_random_settings(model, picture, tmp_path):
    options = {"count": 5, "model": model, "seed": 3, "content": 0.5}
    settings = write_contact_sheet(picture, tmp_path / "sheet.png", **options)
    assert len(settings) == 5
    assert {setting["coefficients"]["content"] for setting in settings} == {0.5}
    assert len({setting["coefficients"]["style_1"] for setting in settings}) == 5
    again = write_contact_sheet(picture, tmp_path / "again.png", **options)
    assert again == settings
    sheets = [read_image(tmp_path / f"{name}.png") for name in ("sheet", "again")]
    np.testing.assert_array_equal(*sheets)
    with pytest.raises(DataError, match="1 or more"):
        write_contact_sheet(picture, tmp_path / "sheet.png", 0, model=model)
