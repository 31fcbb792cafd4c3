import json

import numpy as np
import pytest
from PIL import Image

from yoto_tf import zoo
from yoto_tf.data import read_image
from yoto_tf.errors import CoefficientError, DataError, RecipeError
from yoto_tf.imaging.grids import grid
from yoto_tf.zoo.vae.files import write_reconstructions, write_samples
from yoto_tf.zoo.vae.pictures import fitted, load_pictures


def tiles(path, rows, columns, side, label):
    """The pictures of a written grid, [rows, columns, side, side, 3]."""
    picture = read_image(path)
    pitch = 2 * side + 2
    assert picture.shape == (2 + rows * pitch, 2 + label + columns * pitch, 3)
    parts = [
        [
            picture[2 + r * pitch :, 2 + label + c * pitch :][: 2 * side, : 2 * side]
            for c in range(columns)
        ]
        for r in range(rows)
    ]
    return np.array(parts)[:, :, ::2, ::2]


def test_samples_are_a_row_for_each_setting(trained, tmp_path):
    _, model = trained
    path = tmp_path / "samples.png"
    report = write_samples(path, model, number=5, settings=3, seed=7)
    values = [0.125, 8.0, 512.0]
    np.testing.assert_allclose([s["kl"] for s in report.settings], values, rtol=1e-5)
    vae = zoo.load(model)
    expected = [vae.sample(5, 7, **setting) for setting in report.settings]
    np.testing.assert_array_equal(tiles(path, 3, 5, 8, 84), expected)
    assert json.loads(json.dumps(report.to_dict()))["pictures"] == 5


def test_samples_at_one_setting_fill_a_square(trained, tmp_path):
    _, model = trained
    path = tmp_path / "samples.png"
    report = write_samples(path, model, {"kl": 4.0}, number=7)
    assert report.settings == [{"kl": 4.0}]
    found = tiles(path, 3, 3, 8, 0).reshape(9, 8, 8, 3)
    np.testing.assert_array_equal(found[:7], zoo.load(model).sample(7, 0, kl=4.0))
    assert (found[7:] == 255).all()


def test_reconstructions_stand_below_the_originals(trained, recipe, tmp_path):
    _, model = trained
    path = tmp_path / "reconstructions.png"
    report = write_reconstructions(recipe.data, path, model, number=4, settings=2)
    assert report.pictures == 4
    rows = tiles(path, 3, 4, 8, 84)
    images = load_pictures(recipe.data, (8, 8, 3), 4)
    np.testing.assert_array_equal(rows[0], images)
    errors = np.abs(rows[1:] - images.astype(float)).mean((1, 2, 3, 4))
    # The smallest β keeps the colours, the largest forgets them.
    assert errors[0] < 0.9 * errors[1]


def test_one_picture_file_is_reconstructed_at_one_setting(trained, recipe, tmp_path):
    _, model = trained
    path = tmp_path / "one.png"
    source = f"{recipe.data}/00.png"
    report = write_reconstructions(source, path, model, {"kl": 0.5})
    assert (report.settings, report.pictures) == ([{"kl": 0.5}], 1)
    assert tiles(path, 2, 1, 8, 84).shape == (2, 1, 8, 8, 3)


def test_a_way_between_two_pictures(trained, recipe, tmp_path):
    _, model = trained
    path = tmp_path / "way.png"
    report = write_reconstructions(
        recipe.data, path, model, number=5, settings=2, interpolate=True
    )
    assert (len(report.settings), report.pictures) == (2, 5)
    rows = tiles(path, 2, 5, 8, 84)
    images = load_pictures(recipe.data, (8, 8, 3), 2)
    vae = zoo.load(model)
    for row, setting in zip(rows, report.settings, strict=True):
        np.testing.assert_array_equal(row[[0, -1]], vae.reconstruct(images, **setting))


def test_latents_that_carry_most_are_gone_through(trained, recipe, tmp_path):
    _, model = trained
    path = tmp_path / "latents.png"
    source = f"{recipe.data}/00.png"
    write_reconstructions(source, path, model, {"kl": 0.5}, number=3, traverse=2)
    vae = zoo.load(model)
    images = load_pictures(source, (8, 8, 3))
    latents, _ = vae.encode(images, kl=0.5)
    for row, index in zip(
        tiles(path, 2, 3, 8, 84),
        np.argsort(-vae.information(images, kl=0.5)),
        strict=False,
    ):
        np.testing.assert_array_equal(row, vae.traverse(latents[0], index, 3, kl=0.5))


def test_drawn_latents_are_gone_through_at_each_setting(trained, tmp_path):
    _, model = trained
    path = tmp_path / "latents.png"
    write_samples(path, model, number=4, settings=2, traverse=2)
    pitch = 2 * 8 + 2
    assert read_image(path).shape[0] == 2 + 2 * 2 * pitch


def test_animations_go_there_and_back(trained, recipe, tmp_path):
    _, model = trained
    dial = tmp_path / "dial.gif"
    write_samples(dial, model, number=4, settings=3, animate=True)
    with Image.open(dial) as file:
        assert (file.n_frames, file.info["loop"]) == (4, 0)
    way = tmp_path / "way.webp"
    write_reconstructions(
        recipe.data, way, model, number=4, settings=2, interpolate=True, animate=True
    )
    with Image.open(way) as file:
        assert file.n_frames == 6
        pitch = 2 * 8 + 2
        assert file.size == (2 + 84 + pitch, 2 + 2 * pitch)
    turning = tmp_path / "turning.gif"
    write_reconstructions(recipe.data, turning, model, settings=2, animate=True)
    with Image.open(turning) as file:
        assert file.n_frames == 2


def test_errors_leave_no_file(trained, recipe, release_folder, tmp_path):
    _, model = trained
    path = tmp_path / "out.png"
    with pytest.raises(CoefficientError, match="kl = 1000 is outside"):
        write_samples(path, model, {"kl": 1000})
    with pytest.raises(DataError, match="no such file or folder"):
        write_reconstructions(tmp_path / "missing", path, model)
    with pytest.raises(DataError, match="at least 1 picture"):
        write_reconstructions(recipe.data, path, model, number=0)
    with pytest.raises(RecipeError, match="of the family codec, expected a vae"):
        write_samples(path, release_folder)
    with pytest.raises(DataError, match="there is no folder"):
        write_samples(tmp_path / "none" / "out.png", model)
    with pytest.raises(DataError, match="1 to 4 latents to traverse, got 5"):
        write_samples(path, model, traverse=5)
    with pytest.raises(DataError, match="1 to 4 latents to traverse, got -1"):
        write_samples(path, model, traverse=-1)
    with pytest.raises(DataError, match=r"the suffix of an animation, \.gif or \.webp"):
        write_samples(path, model, animate=True)
    source = f"{recipe.data}/00.png"
    with pytest.raises(DataError, match="expected two pictures to go between"):
        write_reconstructions(source, path, model, interpolate=True)
    with pytest.raises(DataError, match="interpolate or traverse"):
        write_reconstructions(source, path, model, interpolate=True, traverse=1)
    with pytest.raises(DataError, match="at least 2 pictures on the way, got 1"):
        write_reconstructions(recipe.data, path, model, number=1, interpolate=True)
    with pytest.raises(DataError, match="is the input"):
        write_reconstructions(source, source, model)
    assert list(tmp_path.iterdir()) == []


def test_long_labels_have_room():
    rows = np.zeros((2, 1, 12, 12, 3), "uint8")
    short, long = (grid(rows, [text, ""]) for text in ("β = 4", "latent 17, β = 0.125"))
    assert short.shape[1] < long.shape[1]
    # Nothing is cut off at the left.
    assert (long[:, :4] == 255).all()


def test_grey_pictures_are_drawn_in_grey():
    rows = np.arange(2 * 3 * 4 * 4, dtype="uint8").reshape(2, 3, 4, 4, 1)
    picture = grid(rows, enlarged=1)
    assert picture.shape == (2 + 2 * 6, 2 + 3 * 6, 3)
    for channel in range(3):
        np.testing.assert_array_equal(picture[2:6, 2:6, channel], rows[0, 0, ..., 0])


def test_pictures_are_cropped_around_their_middle():
    image = np.zeros((20, 60, 3), "uint8")
    image[:, 20:40] = 200
    np.testing.assert_array_equal(fitted(image, (20, 20, 3)), image[:, 20:40])
    grey = fitted(image, (10, 10, 1))
    assert grey.shape == (10, 10, 1)
    # The resampling filter sees a little of what lies outside.
    assert (grey[:, 2:-2] > 190).all()
