"""The codec's exact choice of tables, as a graph.

It gives the numbers of `IntegerScales` and `Levels` on every machine, also on
accelerators that multiply in bfloat16 and have no float64. Activations and weights are
split into limbs that bfloat16 holds, and each sum of their products is an integer below
2**24, which float32 adds up exactly in any order. The sums are computed as matrix
products, since a library may compute convolutions by transforms that round. The limbs
are put together in int64.
"""

import numpy as np
from keras import ops

from yoto_tf.entropy.scale_table import NUM_SCALES
from yoto_tf.errors import RecipeError
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


def next_indexes(coding, before, like, level):
    """The tables of a code's integers.

    Args:
        coding: a `yoto_tf.zoo.codec.coding.symbol_coding.SymbolCoding`.
        before: int32 [B, h, w, N] of each code before it.
        like: int32 of the shape of its integers; only looked at for the first code.
        level: int32 [B].

    Returns:
        int32 of the shape of its integers.
    """
    if before:
        return table_indexes(coding.scales, before[0], level)
    return channel_indexes(like, level)


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
    # Kernels are looked up by this index, which is always 0, because converters round
    # constants to float16 or int8 but not what a lookup returns.
    zero = ops.cast(level[0] < 0, "int32")
    features = ops.clip(hyper_latents, -HYPER_LIMIT, HYPER_LIMIT)
    for layer, shift in enumerate(scales.shifts):
        last = layer == len(scales.shifts) - 1
        kernel = scales.kernels[layer]
        sums = _convolved(features, kernel if last else _phases(kernel), zero)
        multiplier, offset = (
            ops.take(arrays[f"{name}_{layer}"].astype("int64"), level, axis=0)
            for name in ("multipliers", "offsets")
        )
        phases = 1 if last else 4
        # Keras before 3.13 tiles a number of times that LiteRT takes for unknown.
        multiplier, offset = (
            ops.concatenate([numbers] * phases, axis=-1)[:, None, None]
            for numbers in (multiplier, offset)
        )
        limit = NUM_SCALES - 1 if last else 2**ACTIVATION_BITS - 1
        sums = ops.clip(sums * multiplier + offset, 0, limit * 2**shift)
        # LiteRT cannot divide int64. Multiples of the divisor, at most 2**15 times it,
        # are exact in float32; rounding corrects a processor that divides inexactly.
        sums = ops.cast(sums - ops.mod(sums, 2**shift), "float32")
        divisor = ops.cast(ops.take(np.array([2**shift]), zero), "float32")
        sums = ops.round(sums / divisor)
        features = ops.cast(sums, "int32")
        if not last:
            features = _interleaved(features)
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
    matrix = ops.cast(ops.take(limbs[None].astype("int8"), zero, axis=0), "float32")
    features = ops.cast(features, "float32")
    high = ops.round(features / _ACTIVATION_LIMB)
    total = 0
    for limb, unit in (
        (high, _ACTIVATION_LIMB),
        (features - _ACTIVATION_LIMB * high, 1),
    ):
        products = ops.matmul(_neighbourhoods(limb), matrix)
        upper, lower = (
            ops.cast(part, "int64") for part in ops.split(products, 2, axis=-1)
        )
        total = total + (upper * _WEIGHT_LIMB + lower) * unit
    return total


def _neighbourhoods(features):
    """[B, h, w, I] to the 3×3 values around each place, [B, h, w, 9I]."""
    padded = ops.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
    ends = (-2, -1, None)
    shifted = (padded[:, i : ends[i], j : ends[j]] for i in range(3) for j in range(3))
    return ops.concatenate(list(shifted), axis=-1)


def _phases(kernel):
    """The kernel of a transposed 5×5 convolution of stride 2 as one of stride 1.

    [5, 5, I, O] to [3, 3, I, 4O]: an output for each of even and odd rows and columns.
    An input i reaches the outputs 2i − 1 … 2i + 3.
    """
    height, width, inputs, outputs = kernel.shape
    phases = np.zeros((3, 3, inputs, 2, 2, outputs))
    for i, row in np.ndindex(3, 2):
        for j, column in np.ndindex(3, 2):
            y, x = row + 3 - 2 * i, column + 3 - 2 * j
            if 0 <= y < height and 0 <= x < width:
                phases[i, j, :, row, column] = kernel[y, x]
    return phases.reshape(3, 3, inputs, 4 * outputs)


def _interleaved(features):
    """The outputs of a kernel of `_phases`, [B, h, w, 4O], to [B, 2h, 2w, O]."""
    batch, height, width, channels = ops.shape(features)
    channels //= 4
    features = ops.reshape(features, (batch, height, width, 2, 2, channels))
    features = ops.transpose(features, (0, 1, 3, 2, 4, 5))
    return ops.reshape(features, (batch, 2 * height, 2 * width, channels))
