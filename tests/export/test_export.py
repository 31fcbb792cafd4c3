"""The one call and the command."""

import subprocess
import sys
from pathlib import Path

import pytest

from yoto_tf.cli import main
from yoto_tf.errors import RecipeError
from yoto_tf.export import TARGETS, export

LIGHT = """
import sys, yoto_tf.export
assert yoto_tf.export.TARGETS
assert not {"tensorflow", "keras", "jax"} & set(sys.modules)
"""


def test_importing_it_imports_nothing_heavy():
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_unknown_target(model_of, tmp_path):
    with pytest.raises(RecipeError, match="unknown export target 'tape', expected one"):
        export(model_of("vae"), tmp_path / "vae", "tape")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("version", "target litert has no option 'version', it is for hub, serving"),
        ("hight", "no option 'hight', expected batch, height, width"),
    ],
)
def test_unknown_option(option, message, model_of, tmp_path):
    with pytest.raises(RecipeError, match=message):
        export(model_of("vae"), tmp_path / "vae", "litert", **{option: 2})


@pytest.fixture
def tapes(monkeypatch):
    """What the target "tape" was asked to write."""
    calls = []
    monkeypatch.setitem(TARGETS, "tape", (__name__, "write_tape"))
    monkeypatch.setattr(
        sys.modules[__name__],
        "write_tape",
        lambda model, path, reels=1: calls.append((model, path, reels)),
        raising=False,
    )
    return calls


def test_target_is_a_function_of_model_and_path(model_of, tmp_path, tapes):
    export(model_of("vae"), tmp_path, "tape", reels=3)
    assert tapes == [(model_of("vae"), tmp_path, 3)]


@pytest.mark.parametrize("kind", [str, Path])
def test_model_is_named_by_its_folder(kind, release_folder, untrained_codec, tapes):
    export(kind(release_folder), "reel", "tape")
    [(model, _, _)] = tapes
    assert model.model_id == untrained_codec.model_id


def test_command_exports_a_pretrained_model(pretrained, tmp_path, capsys):
    from yoto_tf import zoo

    directory = tmp_path / "exported"
    assert main(["export", "codec", str(directory)]) == 0
    assert capsys.readouterr().out == f"{directory}\n"
    assert (directory / "saved_model.pb").exists()
    model_id = zoo.load(str(directory / "release")).model_id
    assert model_id == zoo.load("codec").model_id
    assert '"name": "codec"' in (directory / "assets" / "yoto.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["codek", "new"], "no pretrained model or directory 'codek'"),
        (["codec", "new", "--target", "tape"], "unknown export target 'tape'"),
        (["codec", "new", "--version", "2"], "'version', it is for hub, serving"),
        (["codec", "new", "--target", "tpu"], "expected height and width of yours"),
        (["codec", "used"], "used is not empty"),
    ],
)
def test_command_fails_in_one_line(
    arguments, message, pretrained, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "file").write_text("")
    assert main(["export", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    [line] = captured.err.splitlines()
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
