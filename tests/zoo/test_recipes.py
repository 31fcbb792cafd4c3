import sys
from pathlib import Path

import pytest

from yoto_tf.errors import RecipeError
from yoto_tf.zoo import recipes
from yoto_tf.zoo.families import Family
from yoto_tf.zoo.recipes import load_recipe, recipe_names

FILE = Path(__file__).parents[1] / "least_squares_recipe.py"


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    folder = tmp_path / "my_zoo" / "line" / "recipes"
    folder.mkdir(parents=True)
    for package in (folder, folder.parent, folder.parent.parent):
        (package / "__init__.py").touch()
    (folder / "short.py").write_text(FILE.read_text(encoding="utf-8"))
    monkeypatch.syspath_prepend(tmp_path)
    line = Family(
        name="line",
        noun="line",
        package="my_zoo.line",
        networks="my_zoo.line:REGISTERED_NAMES",
        model="my_zoo.line:Line",
    )
    monkeypatch.setattr(recipes, "all_families", lambda: {"line": line})
    yield
    for name in [name for name in sys.modules if name.startswith("my_zoo")]:
        del sys.modules[name]


def test_recipe_of_a_file():
    assert load_recipe(FILE).steps == 600


def test_recipe_of_the_zoo(zoo):
    assert recipe_names() == ["line/short"]
    assert load_recipe("line/short").batch_size == 16


@pytest.mark.parametrize("name", ["line/long", "line", "", "..", "os/path"])
def test_unknown_name_lists_what_there_is(zoo, name):
    with pytest.raises(RecipeError, match=r"\.py file or one of: line/short"):
        load_recipe(name)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"no such recipe file: .*none\.py"):
        load_recipe(tmp_path / "none.py")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps = ", "SyntaxError"),
        ("x = 1", "AttributeError.*recipe"),
        ("def recipe(): return 3", "must return a Recipe, it returned a int"),
        ("import no_such_module", "no_such_module"),
    ],
)
def test_broken_file_is_one_line(tmp_path, text, message):
    path = tmp_path / "broken.py"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(path)
    assert "\n" not in str(caught.value)
