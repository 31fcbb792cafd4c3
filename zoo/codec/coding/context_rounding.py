"""Rounds the scales' part of a trained `ContextHyperprior` to integers."""

import numpy as np
from keras import ops

from yoto_tf.entropy.scale_table import LOG_STEP, MIN_SCALE
from yoto_tf.zoo.codec.coding.integer_context import (
    HYPER_LIMIT,
    LARGEST,
    UNITS_PER_BIT,
    IntegerContext,
    magnitude_table,
)

_LARGEST_WEIGHT = 127
_LARGEST_SUM = 2**24 - 1
# A sum's product with a multiplier stays below 2**48, and two of them and an offset
# below 2**53.
_MULTIPLIER_BITS = 24
_LARGEST_MULTIPLIER = 2**_MULTIPLIER_BITS
_MAX_SHIFT = 40
_LARGEST_OFFSET = 2**51


def integer_context(network, vectors):
    """The `IntegerContext` of a network.

    Args:
        network: a built `ContextHyperprior`.
        vectors: [levels, 1] raw coefficient vectors, one a level.
    """
    embedding = network.embedding(ops.convert_to_tensor(vectors))
    tower, context = network.scale_synthesis, network.scale_context
    arrays = {"magnitudes": magnitude_table()}
    input_units, largest = np.ones(network.hyper_filters), HYPER_LIMIT
    for layer in range(2):
        convolution = tower.convolutions[layer]
        # Transposed kernels come as [height, width, outputs, inputs].
        kernel = np.swapaxes(_array(convolution.kernel), 2, 3)
        scale, shift = _modulation(tower.films[layer], embedding, len(vectors), kernel)
        units = _units(tower.activations[layer])
        arrays[f"tower_{layer}/kernel"], unit = _rounded(
            kernel * input_units[:, None], largest, _phase_sums
        )
        _store(
            arrays,
            f"tower_{layer}",
            scale * unit / units,
            (scale * _array(convolution.bias) + shift) / units + 0.5,
        )
        input_units, largest = units, LARGEST

    kernel = _array(context.neighbours) / UNITS_PER_BIT
    scale, shift = _modulation(context.film, embedding, len(vectors), kernel)
    units = _units(context.hidden)
    arrays["neighbours/kernel"], unit = _rounded(kernel, LARGEST)
    arrays["features/kernel"], features_unit = _rounded(
        _array(context.features) * input_units[:, None], LARGEST
    )
    places = _array(context.places) / units
    _store(
        arrays,
        "neighbours",
        scale * unit / units,
        shift / units + 0.5,
        features=scale * features_unit / units,
    )
    arrays["places"] = _offsets(places, arrays["neighbours/shift"])
    kernel = _array(context.inner_kernel) * units[:, None]
    units = _units(context.inner)
    arrays["inner/kernel"], unit = _rounded(kernel, LARGEST)
    _store(arrays, "inner", unit / units, _array(context.inner_bias) / units + 0.5)

    base = tower.convolutions[-1]
    # Half an index, so that the floor rounds to the nearest.
    offset = _array(base.bias) + _array(network.log_gain(embedding))
    offset = (offset - np.log(MIN_SCALE)) / LOG_STEP + 0.5
    arrays["base/kernel"], unit = _rounded(
        _array(base.kernel) * input_units[:, None], LARGEST
    )
    outer = _array(context.outer_kernel) * units[:, None]
    kernels, outer_units = zip(
        *(_rounded(group, LARGEST) for group in outer), strict=True
    )
    arrays["outer/kernel"] = np.stack(kernels)
    outer = np.stack(outer_units) / LOG_STEP
    _store(arrays, "base", unit / LOG_STEP, offset, outer=outer)
    return IntegerContext(arrays)


def _array(tensor):
    return ops.convert_to_numpy(tensor).astype("float64")


def _modulation(film, embedding, levels, kernel):
    """FiLM's scale and shift for each level: [levels, outputs] each."""
    if film is None:
        return np.ones((levels, kernel.shape[-1])), np.zeros((levels, kernel.shape[-1]))
    return tuple(_array(part) for part in film.scale_and_shift(embedding))


def _units(activation):
    """The value of one integer step in each channel."""
    return np.maximum(_array(activation.largest), 1e-6) / LARGEST


def _sums(magnitudes):
    return magnitudes.sum(axis=tuple(range(magnitudes.ndim - 1)))


def _phase_sums(magnitudes):
    """Where outputs of stride 2 see every other tap: the largest of four sums."""
    return np.max(
        [_sums(magnitudes[i::2, j::2]) for i in (0, 1) for j in (0, 1)], axis=0
    )


def _rounded(kernel, largest, sums=_sums):
    """Integer weights [..., outputs], and their unit for each output.

    Args:
        kernel: [..., outputs].
        largest: magnitude of the inputs.
        sums: function of the magnitudes of the weights to the largest sum of those that
            meet in a product, [outputs].
    """
    magnitudes = np.abs(kernel)
    # Rounding adds at most half a unit to each weight.
    terms = kernel[..., 0].size
    unit = np.maximum(
        magnitudes.max(axis=tuple(range(kernel.ndim - 1))) / _LARGEST_WEIGHT,
        sums(magnitudes) / (_LARGEST_SUM / largest - terms / 2),
    )
    unit = np.maximum(unit, 1e-12)
    return np.round(kernel / unit).astype("int8"), unit


def _store(arrays, name, factors, offsets, **others):
    """Stores how a sum of products, and further sums added to it, are rescaled.

    Args:
        arrays: the dict to store in.
        name: of the sum.
        factors: what the sum is multiplied by.
        offsets: what is added afterwards.
        **others: for each further sum, what it is multiplied by before it is added.
    """
    factors = {name: factors, **others}
    largest = max(np.abs(factor).max() for factor in factors.values())
    shift = _MULTIPLIER_BITS - int(np.ceil(np.log2(max(largest, 1e-12))))
    shift = min(max(shift, 0), _MAX_SHIFT)
    for key, factor in factors.items():
        multipliers = np.round(factor * 2.0**shift)
        multipliers = np.clip(multipliers, -_LARGEST_MULTIPLIER, _LARGEST_MULTIPLIER)
        arrays[f"{key}/multipliers"] = multipliers.astype("int32")
    arrays[f"{name}/offsets"] = _offsets(offsets, shift)
    arrays[f"{name}/shift"] = np.int32(shift)


def _offsets(values, shift):
    scaled = np.round(values * 2.0**shift)
    return np.clip(scaled, -_LARGEST_OFFSET, _LARGEST_OFFSET).astype("int64")
