import dataclasses
import importlib.metadata
import types

import pytest
from installed import entry_points

from yoto_tf.cli import main
from yoto_tf.errors import RecipeError
from yoto_tf.zoo import families
from yoto_tf.zoo.families import Family, all_families, check_family, family_named

DOTTED = ("model", "evaluation", "export", "requests", "web_page", "demo_tab")
MODULE = """
from yoto_tf.zoo.families import Family
FAMILY = Family(
    name={name!r}, noun="x", package="x", networks="x:NAMES", model="x:Model"
)
"""


@pytest.mark.parametrize("name", ["codec", "stylization", "vae"])
def test_every_name_in_the_table_is_there(name):
    pytest.importorskip("gradio")
    family = all_families()[name]
    for field in DOTTED:
        resolved = family.resolve(field)
        assert (resolved is None) == (getattr(family, field) is None)
        assert resolved is None or callable(resolved)
    assert all(">" in registered for registered in family.resolve("networks"))
    assert family.recipe_names()
    assert family.recipe(family.recipe_names()[0])().steps > 0
    assert family.released()


@pytest.mark.parametrize("name", ["music", "", "..", 3, None, ["vae"]])
def test_an_unknown_name_is_an_error_that_lists_what_there_is(name):
    assert family_named("vae").noun == "vae"
    with pytest.raises(RecipeError, match="installed are codec, stylization, vae"):
        family_named(name)


def test_another_family_is_refused():
    release = types.SimpleNamespace(family="vae")
    check_family("mine", release, "vae")
    with pytest.raises(RecipeError, match="mine is of the family vae, expected a styl"):
        check_family("mine", release, "stylization")


def test_a_name_that_is_not_there_is_one_line():
    broken = dataclasses.replace(
        all_families()["vae"],
        model="yoto_tf.zoo.vae.vae:Vae",
        export="no_such_module:describe",
        package="no_such_package.vae",
    )
    with pytest.raises(RecipeError, match=r"family vae names yoto_tf\.zoo.*:Vae, "):
        broken.resolve("model")
    with pytest.raises(RecipeError, match="No module named 'no_such_module'"):
        broken.resolve("export")
    with pytest.raises(RecipeError, match=r"package no_such_package\.vae, which"):
        broken.released()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "import no_such_module",
            r"my_family:FAMILY cannot be loaded \(Module.*\)",
        ),
        ("1 / 0", r"my_family:FAMILY cannot be loaded \(ZeroDivisionError: .*\)"),
        ("", r"my_family:FAMILY cannot be loaded \(AttributeError: .*\)"),
        ("FAMILY = 3", r"my_family:FAMILY is a int, expected a yoto_tf\..*\.Family"),
    ],
)
def test_an_entry_point_without_a_family_is_one_line(content, message, tmp_path):
    (tmp_path / "my_family.py").write_text(content)
    with (
        entry_points(tmp_path, mine="my_family:FAMILY"),
        pytest.raises(RecipeError, match=message) as caught,
    ):
        all_families()
    line = str(caught.value)
    assert line.startswith("sharpness-dial 1.0 lists the family mine, but ")
    assert "\n" not in line


def test_a_family_listed_twice_is_an_error(tmp_path, capsys):
    module = MODULE.format(name="codec")
    (tmp_path / "my_family.py").write_text(module)
    with entry_points(tmp_path, mine="my_family:FAMILY"):
        assert main(["list"]) == 2
    assert capsys.readouterr().err == (
        "yoto: the family codec is listed twice, by yoto_tf and by sharpness-dial 1.0: "
        "uninstall one of them\n"
    )


def test_a_model_released_twice_is_an_error(tmp_path, monkeypatch):
    from yoto_tf import zoo

    (tmp_path / "released" / "small").mkdir(parents=True)
    (tmp_path / "released" / "small" / "config.json").touch()
    monkeypatch.setattr(
        families, "released_folder", lambda family: tmp_path / "released"
    )
    with pytest.raises(RecipeError, match="two pretrained models are called small: "):
        zoo.names()


def test_entry_points_are_read_once(monkeypatch):
    all_families()
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: 1 / 0)
    assert isinstance(all_families()["codec"], Family)
