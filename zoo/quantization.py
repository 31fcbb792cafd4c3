"""Kernels of convolutions in 8 bits: an int8 array and a scale for each output channel.

The value of a kernel is `int8 · scale`. The scale is stored beside it as `PATH:scale`,
float32 with as many axes as the kernel, of size 1 but for that of the channels: a
reader multiplies the two and need not know what kind of layer it is.

A scale has four significant bits. With the seven of an integer that makes eleven, as
many as float16 has: exports that keep constants in float16 lose nothing.
"""

import numpy as np

from yoto_tf.errors import RecipeError

SUFFIX = ":scale"
_LARGEST = 127
_STEPS = 2**4


def quantize_kernels(network, weights, precise=()):
    """Quantises the kernels of convolutions; the other weights stay as they are.

    A value is off by half a scale at most, which is a 225th of the largest magnitude in
    its channel. Kernels that mix channels at one place only stay, too: they are few
    numbers, and small ones among them count.

    Args:
        network: the built Keras network, which says what kind of layer a kernel has.
        weights: {path below the network: array}.
        precise: beginnings of the names of layers whose kernels stay.

    Returns:
        {path: array}, with the scales.

    Raises:
        RecipeError: a kernel that is not finite.
    """
    transposed = _transposed_kernels(network)
    stored = {}
    for path, array in weights.items():
        *_, layer, name = ("", *path.split("/"))
        is_wide = name == "kernel" and max(array.shape[:-2], default=1) > 1
        if is_wide and not layer.startswith(tuple(precise)):
            if not np.isfinite(array).all():
                raise RecipeError(f"weight {path} is not finite")
            axis = -2 if path in transposed else -1
            stored[path], stored[path + SUFFIX] = quantize(array, axis)
        else:
            stored[path] = array
    return stored


def quantize(kernel, axis):
    """A finite kernel to int8 and float32 scales along the axis of its outputs."""
    kernel = kernel.astype("float64")
    others = tuple(n for n in range(kernel.ndim) if n != axis % kernel.ndim)
    largest = np.abs(kernel).max(axis=others, keepdims=True)
    # Rounded up, so that the largest is no more than 127 of it; never zero.
    fraction, exponent = np.frexp(largest / _LARGEST)
    scale = np.ldexp(np.ceil(fraction * _STEPS) / _STEPS, exponent)
    scale = np.maximum(scale, np.finfo("float32").tiny).astype("float32")
    return np.rint(kernel / scale).astype("int8"), scale


def dequantize(weights):
    """The values of stored weights: {path: float array}, without the scales.

    Raises:
        RecipeError: an int8 array without its scale, or the other way round; a scale of
            another shape or type.
    """
    values = {}
    for path, array in weights.items():
        if path.endswith(SUFFIX):
            kernel = weights.get(path.removesuffix(SUFFIX))
            if kernel is None or kernel.dtype != np.int8:
                raise RecipeError(f"{path} scales no int8 weight")
        elif array.dtype == np.int8:
            scale = weights.get(path + SUFFIX)
            if scale is None:
                raise RecipeError(f"int8 weight {path} has no scale")
            fits = scale.ndim == array.ndim and all(
                size in (1, whole)
                for size, whole in zip(scale.shape, array.shape, strict=True)
            )
            if scale.dtype != np.float32 or not fits:
                raise RecipeError(
                    f"{path}{SUFFIX} is {scale.dtype} {list(scale.shape)}, expected "
                    f"float32, each size 1 or that of {list(array.shape)}"
                )
            values[path] = array * scale
        else:
            values[path] = array
    return values


def _transposed_kernels(network):
    """Paths of the kernels of transposed convolutions, whose outputs come before last.

    In a kernel of any other layer they are the last axis.
    """
    import keras

    classes = tuple(getattr(keras.layers, f"Conv{n}DTranspose") for n in (1, 2, 3))
    return {
        layer.kernel.path.split(f"{network.name}/", 1)[1]
        for layer in network._flatten_layers()
        if isinstance(layer, classes)
    }
