"""Recipes by name: files, and those that ship with the families."""

import importlib.util
import re
import sys
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.training.recipe import Recipe
from yoto_tf.zoo.families import all_families


def load_recipe(name):
    """The recipe of a file, or one that ships with a family.

    Args:
        name: the path of a `.py` file, or one of `recipe_names`.

    Raises:
        RecipeError: no such recipe, or its file cannot be run.
    """
    name = str(name)
    try:
        loaded = _function_of(name)()
    except RecipeError:
        raise
    # The file may raise anything.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise RecipeError(f"recipe {name} cannot be run: {reason}") from error
    if not isinstance(loaded, Recipe):
        raise RecipeError(
            f"recipe() of {name} must return a Recipe, it returned a "
            f"{type(loaded).__name__}"
        )
    return loaded


def recipe_names():
    """The `FAMILY/NAME` of every recipe that ships with a family, in order."""
    return sorted(
        f"{family.name}/{name}"
        for family in all_families().values()
        for name in family.recipe_names()
    )


def recipe_title(name):
    """The first line of the docstring of a recipe's file, "" where it has none.

    Args:
        name: as of `load_recipe`, which must have loaded it.
    """
    documented = sys.modules[_function_of(str(name)).__module__].__doc__ or ""
    return documented.strip().partition("\n")[0]


def _function_of(name):
    """The function `recipe` of what has this name."""
    if name.endswith(".py"):
        return _module_of_file(Path(name)).recipe
    known = recipe_names()
    if name not in known:
        raise RecipeError(
            f"unknown recipe {name!r}, expected a .py file or one of: "
            f"{', '.join(known) or 'none is installed'}"
        )
    family, _, stem = name.partition("/")
    return all_families()[family].recipe(stem)


def _module_of_file(path):
    if not path.is_file():
        raise RecipeError(f"no such recipe file: {path}")
    name = "yoto_recipe_" + re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their own module up while the file runs.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
