import json

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
