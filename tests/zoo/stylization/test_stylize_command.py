import json

import numpy as np
import pytest
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.data import read_image
from yoto_tf.zoo.stylization import Stylizer


@pytest.fixture
def model(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stylizer") / "release"
    Stylizer.from_network(network).save(folder)
    return str(folder)


@pytest.fixture
def picture(photograph, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(photograph[:48, :64]).save(path)
    return str(path)


def test_styles_are_listed(model, network, capsys):
    assert main(["list", "--styles", "--model", model]) == 0
    assert capsys.readouterr().out.split() == list(network.styles)


def test_one_picture_and_a_sheet(model, network, picture, tmp_path, capsys):
    target = str(tmp_path / "out.png")
    first, second = network.styles[:2]
    arguments = ["stylize", picture, target, "--model", model]
    mixture = f"{first}=0.7,{second}=0.3"
    assert main([*arguments, "--style", mixture, "--coefficients", "content=0.5"]) == 0
    assert read_image(target).shape == (48, 64, 3)
    capsys.readouterr()
    assert main([*arguments, "--random", "4", "--seed", "1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 4
    assert read_image(target).shape[1] > 64


def test_a_painting_in_place_of_a_name(
    sighted, sighted_folder, picture, paintings, photograph, tmp_path, capsys
):
    target, painting = tmp_path / "out.png", paintings / "stripes.png"
    command = ["stylize", picture, str(target), "--model", str(sighted_folder)]
    assert main([*command, "--style", str(painting), "--json"]) == 0
    [file] = json.loads(capsys.readouterr().out)["files"]
    assert file["style"] == {"stripes.png": 1.0}
    guessed = sighted.with_style("it", sighted.predict_style(read_image(painting)))
    expected = guessed.stylize(photograph[:48, :64], "it")
    np.testing.assert_allclose(read_image(target), expected, rtol=0, atol=1)
    mixture = f"dots=1,{painting}=3"
    assert main([*command, "--style", mixture, "--json"]) == 0
    [file] = json.loads(capsys.readouterr().out)["files"]
    assert file["style"] == {"dots": 0.25, "stripes.png": 0.75}
    expected = guessed.stylize(photograph[:48, :64], "dots=1,it=3")
    np.testing.assert_allclose(read_image(target), expected, rtol=0, atol=1)
    assert main([*command, "--style", str(painting)]) == 0
    assert "stripes.png at first sight" in capsys.readouterr().out


def test_paintings_inside_and_outside_of_a_mask(
    sighted, sighted_folder, picture, paintings, photograph, tmp_path
):
    inside, outside = paintings / "stripes.png", paintings / "dots.png"
    mask, target = tmp_path / "mask.png", tmp_path / "out.png"
    white = np.zeros((48, 64), "uint8")
    white[:, 32:] = 255
    Image.fromarray(white).save(mask)
    command = ["stylize", picture, str(target), "--model", str(sighted_folder)]
    command += ["--style", str(inside), "--outside", str(outside)]
    assert main([*command, "--mask", str(mask)]) == 0
    stylizer = sighted
    for painting in (inside, outside):
        vector = sighted.predict_style(read_image(painting))
        stylizer = stylizer.with_style(painting.name, vector)
    image = photograph[:48, :64]
    found = read_image(target)
    for part, painting in ((found[:, :32], outside), (found[:, 32:], inside)):
        expected = stylizer.stylize(image, painting.name)
        expected = expected[:, :32] if painting == outside else expected[:, 32:]
        np.testing.assert_allclose(part, expected, rtol=0, atol=1)


def test_one_painting_twice_and_two_of_one_name(
    sighted_folder, picture, paintings, tmp_path, capsys
):
    painting, target = paintings / "dots.png", tmp_path / "out.png"
    command = ["stylize", picture, str(target), "--model", str(sighted_folder)]
    again = f"{paintings}/./dots.png"
    assert main([*command, "--style", f"{painting}=1,{again}=3", "--json"]) == 0
    [file] = json.loads(capsys.readouterr().out)["files"]
    assert file["style"] == {"dots.png": 1.0}
    other = tmp_path / "dots.png"
    Image.open(paintings / "stripes.png").save(other)
    assert main([*command, "--style", f"{painting}=1,{other}=1"]) == 2
    assert "are both called dots.png" in capsys.readouterr().err


def test_a_frieze_is_seen_by_its_middle(sighted):
    frieze = np.random.default_rng(0).integers(0, 256, (2, 300, 3)).astype("uint8")
    expected = sighted.predict_style(frieze[:, 146:154])
    np.testing.assert_array_equal(sighted.predict_style(frieze), expected)


def test_a_painting_that_cannot_be_a_style(
    model, sighted_folder, picture, paintings, tmp_path, capsys
):
    target, sighted = tmp_path / "out.png", str(sighted_folder)
    painting, broken = str(tmp_path / "dots.png"), tmp_path / "broken.png"
    Image.open(paintings / "dots.png").save(painting)
    broken.write_text("no picture")
    for folder, style, to_write, message in (
        (model, painting, target, "this stylizer has no style encoder"),
        (sighted, "nowhere.jpg", target, "no such file: nowhere.jpg"),
        (sighted, str(broken), target, "broken.png"),
        (sighted, painting, painting, "is a painting to look at, expected another"),
    ):
        command = ["stylize", picture, str(to_write), "--model", folder]
        assert main([*command, "--style", style]) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not target.exists()
    np.testing.assert_array_equal(
        read_image(painting), read_image(paintings / "dots.png")
    )


def test_bad_input_is_one_line(model, network, picture, tmp_path, capsys):
    target = tmp_path / "out.png"
    for arguments, message in (
        ([], "--style"),
        (["--style", "nobody"], "unknown style 'nobody'"),
        (["--style", f"{network.styles[0]}=-1"], "≥ 0"),
        (["--style", network.styles[0], "--coefficients", "content=7"], "outside"),
    ):
        command = ["stylize", picture, str(target), "--model", model, *arguments]
        assert main(command) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not target.exists()
