"""Checkpoints: all a training needs to carry on, in one file a step.

A checkpoint is an `.npz` archive `step-00012345.npz` with one array for every variable
of the model (seed generators too) and of its optimizer, and a JSON manifest. Variables
are keyed by their place and path, not by backend: a training can move from TensorFlow
to JAX and back.
"""

import json
import os
import re
import warnings
import zipfile
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from yoto_tf.errors import RecipeError
from yoto_tf.machine.atomic_files import atomic_file

KEPT = 2
_FORMAT = 1
_NAME = re.compile(r"step-(\d+)\.npz")
_AUTOMATIC_NUMBER = re.compile(r"_\d+(?=[_/]|$)")


class Elapsed(NamedTuple):
    """How far a training has come: optimizer steps, and seconds of wall clock."""

    step: int
    seconds: float


def steps(folder: str | os.PathLike) -> list[int]:
    """The steps of the checkpoints in a folder, oldest first."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)


def save(
    folder: str | os.PathLike,
    model: keras.Model,
    step: int,
    seconds: float = 0.0,
    writes: bool = True,
) -> Path | None:
    """Writes a checkpoint, and keeps one of those before it.

    Where several processes train a model, all of them call this and one writes.

    Args:
        folder: where the checkpoints are; made if need be.
        model: a compiled model whose variables and optimizer are built.
        step: optimizer steps taken so far.
        seconds: wall-clock seconds trained so far.
        writes: whether this process writes the file.

    Returns:
        The file written, or None.

    Raises:
        RecipeError: If a trained variable is not finite: such a checkpoint would
            only push out a good one.
        DataError: If the file cannot be written.
    """
    variables = _variables(model)
    arrays = to_arrays(model)
    for key, variable in variables.items():
        if variable.trainable and not np.isfinite(arrays[key]).all():
            raise RecipeError(f"variable {variable.path} is not finite at step {step}")
    if not writes:
        return None
    manifest = {
        "format": _FORMAT,
        "step": int(step),
        "seconds": float(seconds),
        "arrays": len(arrays),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step-{step:08d}.npz"
    with atomic_file(path) as file:
        np.savez(file, manifest=np.array(json.dumps(manifest)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    # Later ones can be there only if they are damaged: this training would have started
    # from them. They must not push out what can be read.
    for old in [known for known in steps(folder) if known <= step][:-KEPT]:
        (folder / f"step-{old:08d}.npz").unlink(missing_ok=True)
    return path


def restore(folder: str | os.PathLike, model: keras.Model) -> Elapsed:
    """Restores the newest readable checkpoint of a folder into a compiled model.

    The model's variables must exist; its optimizer is built if it is not. A damaged
    checkpoint is passed over for the one before it, with a warning.

    Returns:
        The step and the seconds the checkpoint was written at.

    Raises:
        RecipeError: If no checkpoint can be read, or its variables are not the model's;
            the model is then as it was.
    """
    found = steps(folder)
    for step in reversed(found):
        path = Path(folder) / f"step-{step:08d}.npz"
        try:
            manifest, arrays = _read(path)
        # Damaged bytes make zipfile and numpy raise a dozen kinds of exception.
        except Exception as error:
            warnings.warn(
                f"{path} is damaged ({type(error).__name__}: {error}), "
                "trying the checkpoint before it",
                stacklevel=2,
            )
            continue
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        assign(model, arrays, path)
        return Elapsed(manifest["step"], manifest["seconds"])
    expected = f"none of {len(found)} is readable" if found else "there is none"
    raise RecipeError(f"{folder}: expected a checkpoint step-*.npz, {expected}")


def _read(path):
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged:
        raise zipfile.BadZipFile(f"checksum of {damaged}")
    with np.load(path, allow_pickle=False) as archive:
        arrays = {key: archive[key] for key in archive.files}
    manifest = json.loads(str(arrays.pop("manifest")))
    if manifest["format"] != _FORMAT:
        raise ValueError(f"format {manifest['format']}, expected {_FORMAT}")
    # A damaged directory of the archive can end early. Older ones have no count.
    if len(arrays) != manifest.get("arrays", len(arrays)):
        raise ValueError(f"{len(arrays)} arrays, expected {manifest['arrays']}")
    return manifest, arrays


def to_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """All variables of a compiled model and of its optimizer, by their keys.

    Of a model that several processes train, all processes call it.
    """
    return {key: _to_numpy(variable) for key, variable in _variables(model).items()}


def assign(model: keras.Model, arrays: dict[str, np.ndarray], path="the state"):
    """Sets all variables of a compiled model and of its built optimizer.

    Args:
        model: the model.
        arrays: what `to_arrays` returned, or what a checkpoint holds.
        path: where the arrays are from, for errors.

    Raises:
        RecipeError: If they are of another model, which is then as it was.
    """
    variables = _variables(model)
    unmatched = sorted(variables.keys() ^ arrays.keys())
    if unmatched:
        lacking = "the model" if unmatched[0] in arrays else "the checkpoint"
        raise RecipeError(
            f"{path} is of another model: {lacking} has no {unmatched[0]}"
        )
    for key, variable in variables.items():
        if arrays[key].shape != tuple(variable.shape):
            raise RecipeError(
                f"{path} is of another model: {key} has shape {arrays[key].shape}, "
                f"expected {tuple(variable.shape)}"
            )
    for key, variable in variables.items():
        variable.assign(arrays[key].astype(_numpy_dtype(variable)))


def _variables(model):
    """Maps `group/place/path` to each variable that a training changes.

    Keras numbers automatic names by what the process built before, and two seed
    generators may share a path: the place makes keys unique, and the path, without
    such numbers, only guards against another model.
    """
    groups = {"model": model.variables, "optimizer": model.optimizer.variables}
    return {
        f"{group}/{place:04d}/{_AUTOMATIC_NUMBER.sub('', variable.path)}": variable
        for group, variables in groups.items()
        for place, variable in enumerate(variables)
    }


def _numpy_dtype(variable):
    dtype = keras.backend.standardize_dtype(variable.dtype)
    # NumPy has no bfloat16; float32 holds it exactly.
    return "float32" if dtype == "bfloat16" else dtype


def _to_numpy(variable):
    value = variable.value if isinstance(variable, keras.Variable) else variable
    if getattr(value, "is_fully_addressable", True) or value.is_fully_replicated:
        array = keras.ops.convert_to_numpy(variable)
    else:
        # Its parts are in several processes.
        from jax.experimental import multihost_utils

        array = multihost_utils.process_allgather(value, tiled=True)
    return array.astype(_numpy_dtype(variable), copy=False)
