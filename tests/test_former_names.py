"""Imports that 0.1 showed work still, and say what to write instead."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from yoto_tf import __version__
from yoto_tf.former_names import FORMER

# (module, name in it, what it is now)
SHOWN = [
    ("yoto_tf.contact_sheet", "contact_sheet", "yoto_tf.imaging.contact_sheet"),
    ("yoto_tf.engine", "train", "yoto_tf.training.engine"),
    ("yoto_tf.metrics", "psnr", "yoto_tf.imaging.metrics"),
    ("yoto_tf.metrics", "bits_per_pixel", "yoto_tf.imaging.metrics"),
    ("yoto_tf.recipe", "Recipe", "yoto_tf.training.recipe"),
    ("yoto_tf.recipe", "load_recipe", "yoto_tf.zoo.recipes"),
    ("yoto_tf.schedules", "WarmupStableDecay", "yoto_tf.training.schedules"),
    ("yoto_tf.training", "LossConditionalModel", "yoto_tf.loss_conditional_model"),
    ("yoto_tf.training", "Objective", "yoto_tf.loss_conditional_model"),
    ("yoto_tf.zoo.demo", "demonstrate", "yoto_tf.demo.demonstration"),
    ("yoto_tf.zoo.demo", "photograph", "yoto_tf.data"),
    ("yoto_tf.zoo.vae.grids", "grid", "yoto_tf.imaging.grids"),
]

# (module, former name, name now)
RENAMED = ("yoto_tf.zoo.stylization", "Transformer", "StyleNetwork")


@pytest.mark.parametrize(("module", "name", "now"), SHOWN)
def test_a_former_name_works_and_says_what_it_is_now(module, name, now):
    program = compile(f"from {module} import {name} as found", "a user's file", "exec")
    variables = {}
    expected = re.escape(f"{module}.{name} is now {now}.{name};")
    with pytest.warns(DeprecationWarning, match=expected) as warned:
        exec(program, variables)
    assert {warning.filename for warning in warned} == {"a user's file"}
    assert variables["found"] is getattr(importlib.import_module(now), name)


def test_a_class_that_was_renamed_works_under_its_former_name():
    module, name, now = RENAMED
    expected = re.escape(f"{module}.{name} is now {module}.{now};")
    with pytest.warns(DeprecationWarning, match=expected):
        found = getattr(importlib.import_module(module), name)
    assert found is getattr(importlib.import_module(module), now)


def test_all_former_names_are_tested():
    modules = {module for module, _, _ in SHOWN}
    names = {f"{module}:{name}" for module, name, *_ in [*SHOWN, RENAMED]}
    assert modules | names >= FORMER.keys()


def test_they_are_listed_for_users():
    changes = Path(__file__).parents[1] / "CHANGELOG.md"
    text = changes.read_text(encoding="utf-8")
    for former in FORMER:
        if former != "yoto_tf.training:Objective":
            assert f"| `{former.replace(':', '.')}` | " in text


def test_they_end_with_the_next_version():
    assert __version__.startswith("0.2.")


@pytest.mark.parametrize("module", ["yoto_tf.metrics", "yoto_tf.training"])
def test_what_was_never_there_is_not_there(module):
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec(f"from {module} import nothing")
    assert not hasattr(importlib.import_module(module), "__nothing__")


def test_a_module_that_never_was_is_not_found():
    with pytest.raises(ModuleNotFoundError, match=r"named 'yoto_tf\.nothing'"):
        importlib.import_module("yoto_tf.nothing")


def test_nothing_of_ours_uses_a_former_name():
    """In a process of its own, since other tests' imports are remembered."""
    program = "import yoto_tf as y\nfor name in y.__all__: getattr(y, name)"
    command = [sys.executable, "-W", "error::DeprecationWarning:yoto_tf", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
