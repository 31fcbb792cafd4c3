"""The codec's exact choice of tables, as a graph.

It gives the numbers of `IntegerScales` and `Levels` on every machine, see
`exact_integers`. Activations and weights are split into limbs that bfloat16 holds; the
sums of their products are put together in int64.
"""

import numpy as np
from keras import ops

from yoto_tf.entropy.scale_table import NUM_SCALES
from yoto_tf.errors import RecipeError
from yoto_tf.export.families.exact_context import context_indexes
from yoto_tf.export.families.exact_integers import (
    as_phases,
    interleaved,
    looked_up,
    neighbourhoods,
    rescaled,
    zero_of,
)
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.integer_scales import ACTIVATION_BITS, HYPER_LIMIT

# A number is a multiple of the limb and a remainder of at most half of it, 128 for
# activations and 64 for weights. They have 15 and 12 bits, so that the factors of the
# limbs are at most 128 and 32.
_ACTIVATION_LIMB = 2**8
_WEIGHT_LIMB = 2**7
_LARGEST_EXACT = 2**24


def levels(coding, coefficients):
    """`Levels.index` of raw coefficients [B, 1]: int32 [B]."""
    beyond = coefficients > coding.levels.edges
    return ops.cast(ops.sum(ops.cast(beyond, "int32"), axis=-1), "int32")


def channel_indexes(symbols, level):
    """A table for each level and channel: int32 of the shape of symbols [B, h, w, N].

    The same as `yoto_tf.zoo.codec.coding.symbol_coding.channel_indexes`, of a batch.
    """
    count = symbols.shape[-1]
    rows = level[:, None] * count + ops.arange(count, dtype="int32")
    return ops.broadcast_to(rows[:, None, None], ops.shape(symbols))


def next_indexes(coding, before, integers, level):
    """The tables of a code's integers.

    Args:
        coding: a `yoto_tf.zoo.codec.coding.symbol_coding.SymbolCoding`.
        before: int32 [B, h, w, N] of each code before it.
        integers: int32. Of the first code only the shape matters, of a second one that
            has no context nothing.
        level: int32 [B].

    Returns:
        int32 of the shape of the integers.
    """
    if not before:
        return channel_indexes(integers, level)
    if isinstance(coding, ContextSymbolCoding):
        return context_indexes(coding.context, *before, integers, level)
    return table_indexes(coding.scales, *before, level)


def table_indexes(scales, hyper_latents, level):
    """`IntegerScales.__call__` of a batch.

    Args:
        scales: an `IntegerScales`.
        hyper_latents: int32 [B, h, w, N].
        level: int32 [B].

    Returns:
        int32 [B, 4h, 4w, C] in [0, 63].
    """
    arrays = scales.to_arrays()
    zero = zero_of(level)
    features = ops.clip(hyper_latents, -HYPER_LIMIT, HYPER_LIMIT)
    for layer, shift in enumerate(scales.shifts):
        last = layer == len(scales.shifts) - 1
        kernel = scales.kernels[layer]
        sums = _convolved(features, kernel if last else as_phases(kernel), zero)
        multiplier, offset = (
            ops.take(arrays[f"{name}_{layer}"].astype("int64"), level, axis=0)
            for name in ("multipliers", "offsets")
        )
        copies = 1 if last else 4
        # Keras before 3.13 tiles a number of times that LiteRT takes for unknown.
        multiplier, offset = (
            ops.concatenate([numbers] * copies, axis=-1)[:, None, None]
            for numbers in (multiplier, offset)
        )
        limit = NUM_SCALES - 1 if last else 2**ACTIVATION_BITS - 1
        features = rescaled(sums * multiplier + offset, shift, limit, zero)
        if not last:
            features = interleaved(features)
    return features


def _convolved(features, kernel, zero):
    """A 3×3 convolution, stride 1, zero padding: int32 [B, h, w, I] to int64."""
    matrix = kernel.reshape(-1, kernel.shape[-1])
    high = np.round(matrix / _WEIGHT_LIMB)
    limbs = np.concatenate([high, matrix - _WEIGHT_LIMB * high], axis=-1)
    largest = np.abs(limbs).sum(axis=0).max() * _ACTIVATION_LIMB / 2
    if largest > _LARGEST_EXACT:
        raise RecipeError(
            f"the codec's tables of scales have sums up to {largest:,.0f}, expected at "
            f"most {_LARGEST_EXACT:,}, which float32 holds exactly"
        )
    matrix = looked_up(limbs, zero)
    features = ops.cast(features, "float32")
    high = ops.round(features / _ACTIVATION_LIMB)
    total = 0
    for limb, unit in (
        (high, _ACTIVATION_LIMB),
        (features - _ACTIVATION_LIMB * high, 1),
    ):
        products = ops.matmul(neighbourhoods(limb), matrix)
        upper, lower = (
            ops.cast(part, "int64") for part in ops.split(products, 2, axis=-1)
        )
        total = total + (upper * _WEIGHT_LIMB + lower) * unit
    return total
