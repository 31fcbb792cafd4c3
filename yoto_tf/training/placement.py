"""Where a training runs: on one device, or on several that share every batch."""

import contextlib
import dataclasses
import math
import re
from collections.abc import Callable
from typing import Any

import keras

from yoto_tf.errors import RecipeError


@dataclasses.dataclass(frozen=True)
class Placement:
    """The devices that share a training's batches, in one process or in several.

    Attributes:
        scope: returns a context manager in which a model is made and trained.
        replicas: parts into which a batch is divided, over all processes.
        process: the number of this process, from 0.
        processes: how many there are. Each makes its own part of every batch.
        spread: whether variables live on other devices than the usual one.
    """

    scope: Callable[[], Any] = contextlib.nullcontext
    replicas: int = 1
    process: int = 0
    processes: int = 1
    spread: bool = False

    @property
    def first(self):
        """Whether this process writes what the training leaves."""
        return self.process == 0

    def check(self, batch_size):
        """Raises RecipeError if a batch cannot be divided among the devices."""
        if batch_size % self.replicas:
            raise RecipeError(
                f"batch_size must be a multiple of the {self.replicas} devices that "
                f"share a batch, got {batch_size}; --set batch_size="
                f"{-(-batch_size // self.replicas) * self.replicas}"
            )


def place(recipe, devices=None, strategy=None):
    """The placement of a recipe's training.

    Args:
        recipe: a `Recipe`, which says how variables are laid out.
        devices: how many devices of each process, or `"all"`. None for all where there
            are several processes, else for the usual one.
        strategy: None; or `"mirrored"`, for TensorFlow's `MirroredStrategy`.

    Raises:
        RecipeError: there are not as many devices, the backend cannot do this, or a
            batch or the layout does not fit.
    """
    if strategy not in (None, "mirrored"):
        raise RecipeError(f"strategy must be none or 'mirrored', got {strategy!r}")
    backend = keras.backend.backend()
    if strategy == "mirrored":
        if backend != "tensorflow":
            raise RecipeError(
                f"--strategy mirrored is TensorFlow's, the backend is {backend}: "
                "expected --devices alone"
            )
        placement = _mirrored(devices)
    elif backend == "jax":
        placement = _on_jax(recipe, devices)
    elif devices in (None, 1):
        placement = Placement()
    else:
        raise RecipeError(
            f"--devices {devices} needs KERAS_BACKEND=jax, or --strategy mirrored on "
            f"TensorFlow; the backend is {backend}"
        )
    placement.check(recipe.batch_size)
    return placement


def _on_jax(recipe, devices):
    import jax

    processes, local = jax.process_count(), jax.local_device_count()
    if devices is None and processes == 1:
        return Placement()
    count = _count(devices or "all", local, "this process")
    parts = recipe.model_devices
    if count % parts:
        raise RecipeError(
            f"model_devices must divide the {count} devices of a process, got {parts}"
        )
    # By process, so that the part of a batch that each makes is the part it holds.
    found = sorted(jax.devices(), key=lambda each: (each.process_index, each.id))
    of_process = {}
    for device in found:
        of_process.setdefault(device.process_index, []).append(device)
    if any(len(these) < count for these in of_process.values()):
        raise RecipeError(
            f"expected {count} devices in each of {processes} processes, there are "
            f"{[len(these) for these in of_process.values()]}"
        )
    chosen = [device for these in of_process.values() for device in these[:count]]
    distribution = _distribution(chosen, parts, recipe.layout())
    return Placement(
        scope=distribution.scope,
        replicas=len(chosen) // parts,
        process=jax.process_index(),
        processes=processes,
        spread=True,
    )


def _distribution(devices, parts, layout):
    names = [f"{device.platform}:{device.id}" for device in devices]
    if parts == 1:
        return keras.distribution.DataParallel(devices=names, auto_shard_dataset=False)
    if not layout:
        raise RecipeError(
            f"model_devices={parts} divides the kernels that the recipe's layout "
            "names, and it names none"
        )
    mesh = keras.distribution.DeviceMesh(
        (len(names) // parts, parts), ("batch", "model"), names
    )
    rules = keras.distribution.LayoutMap(mesh)
    for pattern, axes in layout.items():
        rules[pattern] = tuple(axes)
    return _CheckedLayout(
        layout_map=rules, batch_dim_name="batch", auto_shard_dataset=False
    )


class _CheckedLayout(keras.distribution.ModelParallel):
    """Keras' `ModelParallel`, which says which rule caught a variable by mistake."""

    def get_variable_layout(self, variable):
        for pattern, rule in self._layout_map.items():
            if re.fullmatch(pattern, variable.path):
                _check_rule(pattern, rule.axes, variable, self.device_mesh)
        return super().get_variable_layout(variable)


def _check_rule(pattern, axes, variable, mesh):
    shape = tuple(variable.shape)
    sizes = dict(zip(mesh.axis_names, mesh.shape, strict=True))
    fits = len(axes) == len(shape) and all(
        axis is None or length % sizes[axis] == 0
        for axis, length in zip(axes, shape, strict=True)
    )
    if not fits:
        raise RecipeError(
            f"the layout {pattern!r} → {axes} does not fit {variable.path}, whose "
            f"shape is {shape}: expected as many axes, and lengths that "
            f"{sizes['model']} divides"
        )


def _mirrored(devices):
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        count = _count(devices or "all", len(gpus), "this machine")
        names = [f"GPU:{number}" for number in range(count)]
    else:
        # A processor counts as one device unless it is told to act as several.
        count = 1 if devices in (None, "all") else devices
        names = [f"CPU:{number}" for number in range(count)]
        _split_processor(tf, count)
    strategy = tf.distribute.MirroredStrategy(names)
    return Placement(scope=strategy.scope, replicas=count, spread=True)


def _split_processor(tf, count):
    [processor] = tf.config.list_physical_devices("CPU")[:1]
    parts = [tf.config.LogicalDeviceConfiguration()] * count
    try:
        tf.config.set_logical_device_configuration(processor, parts)
    except RuntimeError as error:
        if len(tf.config.list_logical_devices("CPU")) < count:
            raise RecipeError(
                f"the processor was in use before it could be divided into {count} "
                "devices"
            ) from error


def _count(wanted, available, where):
    count = available if wanted == "all" else wanted
    if not 1 <= count <= available:
        raise RecipeError(
            f"expected 1 to {available} devices, which is what {where} has, got {count}"
        )
    return math.floor(count)
