"""Exports whose tensors have fixed sizes, as compilers want them."""

import dataclasses
import numbers

from yoto_tf.errors import RecipeError
from yoto_tf.export.exportable import ANY_BATCH, Tensor


def with_sizes(exportable, batch=None, height=None, width=None):
    """An `Exportable` that leaves fewer sizes to the caller.

    Vectors that are otherwise given once for the batch or for every example become
    [B, ...]: one for every example.

    Args:
        exportable: an `Exportable`.
        batch, height, width: integers ≥ 1, or None for any. Other sizes, say those of
            latents, follow from them.

    Raises:
        RecipeError: not an integer ≥ 1, a size that the model fixes itself, or one that
            it does not work with.
    """
    given = {"batch": batch, "height": height, "width": width}
    sizes, free = {}, free_sizes(exportable)
    for (name, size), letter in zip(given.items(), "BHW", strict=True):
        if size is None:
            continue
        if not isinstance(size, numbers.Integral) or size < 1:
            raise RecipeError(f"{name} {size!r}: expected a whole number from 1")
        if letter not in free:
            raise RecipeError(f"{name} {size}: {exportable.name} has a fixed {name}")
        if letter in "HW" and size < exportable.smallest_side:
            raise RecipeError(
                f"{name} {size}: {exportable.name} takes pictures of "
                f"{exportable.smallest_side} pixels and more to a side"
            )
        sizes[letter] = int(size)
    endpoints = dict(exportable.endpoints)
    unknown = set(endpoints)
    for _ in exportable.endpoints:
        # The outputs of one endpoint may tell the sizes of another's inputs.
        for name in sorted(unknown):
            endpoints[name] = _fixed(exportable.endpoints[name], sizes)
            if not _free(endpoints[name]) - {"B"}:
                unknown.remove(name)
                sizes |= _learnt(endpoints[name], sizes)
    endpoints = {
        name: _fixed(endpoint, sizes) for name, endpoint in exportable.endpoints.items()
    }
    return dataclasses.replace(exportable, endpoints=endpoints)


def free_sizes(exportable):
    """Names of the sizes that an `Exportable` leaves to the caller, sorted."""
    return sorted(set().union(*map(_free, exportable.endpoints.values())))


def _free(endpoint):
    return {
        size
        for tensor in endpoint.inputs.values()
        for size in tensor.shape
        if isinstance(size, str) and size != ANY_BATCH
    }


def _fixed(endpoint, sizes):
    inputs, outputs = (
        {
            name: Tensor(tensor.dtype, tuple(_size(s, sizes) for s in tensor.shape))
            for name, tensor in tensors.items()
        }
        for tensors in (endpoint.inputs, endpoint.outputs)
    )
    return dataclasses.replace(endpoint, inputs=inputs, outputs=outputs)


def _size(size, sizes):
    size = "B" if size == ANY_BATCH else size
    return sizes.get(size, size)


def _learnt(endpoint, sizes):
    """{name: size} of an endpoint's outputs, once all sizes of its inputs are known.

    The batch may stay open.
    """
    import tensorflow as tf

    from yoto_tf.export.reusable import specs

    function = tf.function(endpoint.__call__, autograph=False)
    try:
        graph = function.get_concrete_function(specs(endpoint.inputs))
    except ValueError as error:
        given = ", ".join(f"{name}={size}" for name, size in sizes.items())
        [reason, *_] = str(error).strip().splitlines()
        raise RecipeError(f"the model does not work with {given}: {reason}") from error
    return {
        size: actual
        for name, tensor in endpoint.outputs.items()
        for size, actual in zip(
            tensor.shape, graph.structured_outputs[name].shape, strict=True
        )
        if isinstance(size, str) and actual is not None
    }
