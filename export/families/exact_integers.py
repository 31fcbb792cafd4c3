"""What the exact choice of tables computes with, as graphs.

Integers are the same on every machine, also on accelerators that multiply in bfloat16
and have no float64: factors of products are small enough for bfloat16, and each sum of
products is an integer below 2**24, which float32 adds up exactly in any order. The sums
are computed as matrix products, since a library may compute convolutions by transforms
that round. What comes after them is computed in int64.
"""

import numpy as np
from keras import ops


def zero_of(level):
    """An index that is always 0, from levels [B].

    Weights are looked up by it, because converters round constants to float16 or int8
    but not what a lookup returns.
    """
    return ops.cast(level[0] < 0, "int32")


def looked_up(weights, zero):
    """Integer weights of at most 8 bits, a NumPy array, as float32."""
    return ops.cast(ops.take(weights[None].astype("int8"), zero, axis=0), "float32")


def rescaled(sums, shift, largest, zero):
    """floor(sums / 2**shift) of int64, clipped to [0, largest]: int32.

    Args:
        sums: int64.
        shift: int.
        largest: int below 2**24.
        zero: see `zero_of`.
    """
    sums = ops.clip(sums, 0, largest * 2**shift)
    # LiteRT cannot divide int64. Multiples of the divisor, as many as `largest`, are
    # exact in float32; rounding corrects a processor that divides inexactly.
    sums = ops.cast(sums - ops.mod(sums, 2**shift), "float32")
    divisor = ops.cast(ops.take(np.array([2**shift]), zero), "float32")
    return ops.cast(ops.round(sums / divisor), "int32")


def neighbourhoods(features):
    """[B, h, w, I] to the 3×3 values around each place, [B, h, w, 9I]."""
    padded = ops.pad(features, ((0, 0), (1, 1), (1, 1), (0, 0)))
    ends = (-2, -1, None)
    shifted = (padded[:, i : ends[i], j : ends[j]] for i in range(3) for j in range(3))
    return ops.concatenate(list(shifted), axis=-1)


def as_phases(kernel):
    """The kernel of a transposed 5×5 convolution of stride 2 as one of stride 1.

    [5, 5, I, O] to [3, 3, I, 4O]: an output for each of even and odd rows and columns.
    An input i reaches the outputs 2i − 1 … 2i + 3.
    """
    height, width, inputs, outputs = kernel.shape
    result = np.zeros((3, 3, inputs, 2, 2, outputs))
    for i, row in np.ndindex(3, 2):
        for j, column in np.ndindex(3, 2):
            y, x = row + 3 - 2 * i, column + 3 - 2 * j
            if 0 <= y < height and 0 <= x < width:
                result[i, j, :, row, column] = kernel[y, x]
    return result.reshape(3, 3, inputs, 4 * outputs)


def interleaved(features):
    """The outputs of a kernel of `as_phases`, [B, h, w, 4O], to [B, 2h, 2w, O]."""
    batch, height, width, channels = ops.shape(features)
    channels //= 4
    features = ops.reshape(features, (batch, height, width, 2, 2, channels))
    features = ops.transpose(features, (0, 1, 3, 2, 4, 5))
    return ops.reshape(features, (batch, 2 * height, 2 * width, channels))
