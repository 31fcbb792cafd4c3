"""The coder's choice of tables, of all symbols of a picture."""

import numpy as np

from yoto_tf.zoo.codec.coding.quadtree import CLASSES, GROUPS, group_at


def table_indexes(coding, hyper_latents, symbols, level):
    """int32 [h, w, C], from integers without a batch axis."""
    if hasattr(coding, "scales"):
        return coding.scales(hyper_latents, level)
    result, depth = np.empty_like(symbols), symbols.shape[-1] // GROUPS
    for number in range(4):
        indexes = coding.pass_indexes(number, hyper_latents, symbols, level)
        for (row, column), channels in coded_in(number, depth):
            result[row::2, column::2, channels] = indexes[row::2, column::2]
    return result


def coded_in(number, depth):
    """(row, column) and slice of channels of each class of positions in a pass."""
    for position_class, place in enumerate(CLASSES):
        first = depth * group_at(position_class, number)
        yield place, slice(first, first + depth)
