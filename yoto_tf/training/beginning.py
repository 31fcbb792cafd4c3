"""What is checked before a training begins or is carried on."""

import dataclasses
import json
import math
import sys

from yoto_tf.errors import RecipeError
from yoto_tf.training import checkpoint

# Fields in which a resumed training may differ from how it was started.
_MAY_CHANGE = ("steps", "minutes", "data", "model_devices")


def plain_fields(recipe):
    """The fields of a recipe as `recipe.json` holds them."""
    return json.loads(json.dumps(dataclasses.asdict(recipe), default=_plain))


def checked_steps(workdir, fields, resume):
    """The steps of the checkpoints that a training carries on from, oldest first.

    Args:
        workdir: a `Workdir`.
        fields: `plain_fields` of the recipe.
        resume: whether the training is to be carried on.

    Raises:
        RecipeError: it is not, or the folder holds the training of another recipe.
    """
    found = checkpoint.steps(workdir.path / "checkpoints")
    if found and not resume:
        raise RecipeError(
            f"{workdir} holds a training at step {found[-1]}: resume it, or choose "
            "another folder"
        )
    if resume and not found:
        print(f"{workdir} has no checkpoint: starting at step 0", file=sys.stderr)
    if found:
        _check_unchanged(fields, workdir)
    return found


def check_ranges(recipe):
    """Raises RecipeError if a field that all recipes have is out of range."""
    for name in (
        "steps",
        "batch_size",
        "learning_rate",
        "steps_per_execution",
        "model_devices",
    ):
        if not getattr(recipe, name) > 0:
            raise RecipeError(f"{name} must be above 0, got {getattr(recipe, name)}")
    for name in ("clipnorm", "minutes"):
        value = getattr(recipe, name)
        if value is not None and not value > 0:
            raise RecipeError(f"{name} must be none or above 0, got {value}")
    for name, highest in (
        ("warmup_steps", math.inf),
        ("decay_fraction", 1),
        ("seed", 2**32 - 1),
    ):
        if not 0 <= getattr(recipe, name) <= highest:
            raise RecipeError(
                f"{name} must be from 0 to {highest}, got {getattr(recipe, name)}"
            )


def _check_unchanged(fields, workdir):
    """Refuses to carry on a training with other fields than it was started with."""
    path = workdir.path / "recipe.json"
    if not path.exists():
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    for name in sorted(before.keys() & fields.keys()):
        if name == "data" and before[name] != fields[name]:
            print(
                f"{workdir} was trained on {before[name] or 'other data'} so far, "
                f"and carries on with {fields[name] or 'what it is given'}",
                file=sys.stderr,
            )
        elif name not in _MAY_CHANGE and before[name] != fields[name]:
            raise RecipeError(
                f"{workdir} was started with {name}={before[name]!r}, "
                f"got {name}={fields[name]!r}"
            )


def _plain(value):
    return value.get_config() if hasattr(value, "get_config") else repr(value)
