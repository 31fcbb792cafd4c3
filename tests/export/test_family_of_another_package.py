"""A family of another package, from `yoto list` to a model server.

`another_package/sharpness_dial` is what such a package has: super-resolution with a
dial for sharpness.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from installed import entry_points
from model_server import STAND_IN, start, stop

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.export.serving import Client
from yoto_tf.zoo.recipes import recipe_names

PACKAGE = Path(__file__).parents[1] / "another_package" / "sharpness_dial"


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder of the installed package, without a pretrained model."""
    folder = tmp_path_factory.mktemp("site-packages")
    shutil.copytree(PACKAGE, folder / PACKAGE.name)
    with entry_points(folder, sharpness="sharpness_dial.family:FAMILY"):
        yield folder / PACKAGE.name


@pytest.fixture(scope="module")
def pretrained(installed, tmp_path_factory):
    """Its name, and the model."""
    workdir = tmp_path_factory.mktemp("training")
    command = ["train", "sharpness/tiny", "--workdir", str(workdir), "--steps", "10"]
    assert main(command) == 0
    released = installed / "released" / "upscaler"
    shutil.copytree(workdir / "release", released)
    return zoo.load("upscaler")


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (7, 9, 3), "uint8")


def assert_same_picture(actual, expected):
    """But for pixels between two values, which the last bit of a float may decide."""
    assert actual.shape == expected.shape == (14, 18, 3)
    assert np.abs(actual.astype(int) - expected).max() <= 1


def test_it_is_listed(installed, pretrained):
    done = subprocess.run(
        [sys.executable, "-c", "from yoto_tf.cli import main; main(['list'])"],
        env={**os.environ, "PYTHONPATH": str(installed.parent)},
        capture_output=True,
        text=True,
    )
    *_, name, headline = done.stdout.splitlines()
    expected = "upscaler  (sharpness; sharpness 0.01 … 1; 0.0 MB)"
    assert name == expected, done.stderr
    assert headline.strip() == "Twice the size, as sharp as you like."
    assert "sharpness/tiny" in recipe_names()


def test_its_dial_turns(pretrained, picture):
    ends = [pretrained.upscale(picture, sharpness=value) for value in (0.01, 1.0)]
    assert ends[0].shape == (14, 18, 3)
    assert (ends[0] != ends[1]).any()
    with pytest.raises(RecipeError, match="family sharpness, which has no evaluation"):
        zoo.evaluate("upscaler", "photographs")


def test_as_a_saved_model(pretrained, picture, tmp_path):
    assert main(["export", "upscaler", str(tmp_path / "exported")]) == 0
    loaded = tf.saved_model.load(str(tmp_path / "exported"))
    inputs = {"image": picture[None] / np.float32(255), "coefficients": [[0.1]]}
    inputs = {name: tf.constant(value, "float32") for name, value in inputs.items()}
    answer = loaded.upscale(inputs)["image"][0].numpy()
    answer = np.rint(np.clip(answer, 0, 1) * 255).astype("uint8")
    assert_same_picture(answer, pretrained.upscale(picture, sharpness=0.1))


def test_on_a_hub(pretrained, picture, tmp_path):
    archive = export("upscaler", tmp_path, "hub")
    page = archive.with_name("1.md").read_text("utf-8")
    assert "<!-- task: image-super-resolution -->" in page
    assert "network = yoto.zoo.load(url).model" in page
    with tarfile.open(archive) as members:
        members.extractall(tmp_path / "model", filter="data")
    loaded = zoo.load(tmp_path / "model")
    assert loaded.release.id == pretrained.release.id
    np.testing.assert_array_equal(loaded.upscale(picture), pretrained.upscale(picture))


def test_there_is_no_page_for_browsers(pretrained, tmp_path):
    with pytest.raises(RecipeError, match=r"stylizers, upscaler is of .* sharpness"):
        export("upscaler", tmp_path / "page", "web")


def test_on_a_model_server(pretrained, picture, tmp_path):
    pytest.importorskip("grpc")
    pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    export("upscaler", tmp_path / "serving", "serving")
    server = start(STAND_IN, tmp_path / "serving", tmp_path, "upscaler")
    try:
        with Client(server.grpc, model="upscaler") as client:
            inputs = {"image": picture[None] / 255, "coefficients": [[0.1]]}
            answer = client.predict(inputs)["image"][0]
            answer = np.rint(np.clip(answer, 0, 1) * 255).astype("uint8")
            expected = pretrained.upscale(picture, sharpness=0.1)
            assert_same_picture(answer, expected)
            asked = client.requests.upscale(picture, sharpness=0.1)
            np.testing.assert_array_equal(asked, answer)
            with pytest.raises(RecipeError, match="family codec, got one of sharpness"):
                client.compress(picture)
        with (
            Client(server.grpc, "upscaler") as client,
            pytest.raises(RecipeError, match=r"sharpness, got one of none: .*model="),
        ):
            _ = client.requests
    finally:
        stop(server.process)
