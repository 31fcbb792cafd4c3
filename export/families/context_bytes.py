"""Symbols under a context to and from bytes, with TensorFlow Compression's ops.

What `ContextSymbolCoding` does, as graphs of one picture. Maps are [1, h, w, C], the
symbols of a pass cells [4, 1, h/2, w/2, C/4].
"""

import copy

import numpy as np

from yoto_tf.export.families.exact_context import stripe_rows
from yoto_tf.export.families.tfc_coding import decode, encode, range_decoder
from yoto_tf.zoo.codec.coding.quadtree import PASSES
from yoto_tf.zoo.codec.network.context import join_passes, split_passes

_ALL, _SKIPPING = b"\0", b"\1"
# Stands for positions below the last row, and is no symbol.
_NOTHING = -(2**31)
_BYTES = np.array([bytes([value]) for value in range(256)], object)
# A number of 35 bits takes five bytes of seven.
_SHIFTS = np.arange(0, 35, 7)


def encode_symbols(symbols, indexes, tables):
    """Symbols and their table indexes, int32 maps, to a string."""
    import tensorflow as tf

    symbols, indexes = map(_in_order, (symbols, indexes))
    skipped = indexes == 0
    outliers = tf.boolean_mask(symbols, skipped)
    bits = _bits(outliers, tables)
    outliers = _written(outliers)
    skipping = 8 * tf.cast(tf.strings.length(outliers), "float64") < bits
    coded = ~skipped | ~skipping
    symbols, indexes = (tf.boolean_mask(x, coded) for x in (symbols, indexes))
    head = tf.where(skipping, tf.strings.join([_SKIPPING, outliers]), _ALL)
    return tf.strings.join([head, encode(symbols, indexes, tables)])


def decode_symbols(data, graph, like, tables):
    """A string to the symbols of a picture, an int32 map.

    Args:
        data: scalar string.
        graph: the picture's `ContextGraph`.
        like: int32 map of its shape.
        tables: `CodingTables`.
    """
    import tensorflow as tf

    skipping, others, data = _read(data, tf.size(like))
    handle = range_decoder(data, tf.size(like), tables)
    rows = stripe_rows(tf.shape(like)[2]) // 2

    def stripe(number, handle, passed, *cells):
        cells, part = list(cells), copy.copy(graph)
        begin = number * rows
        end = tf.minimum(begin + rows, tf.shape(cells[0])[2])
        for current in range(PASSES):
            chosen = part.indexes(current)[:, :, begin:end]
            indexes = tf.reshape(chosen, [-1])
            coded = (indexes > 0) | ~skipping
            handle, known = decode(handle, tf.boolean_mask(indexes, coded), tables)
            rest = tf.size(indexes) - tf.size(known)
            places = (tf.where(mask)[:, 0] for mask in (coded, ~coded))
            values = known, others[passed : passed + rest]
            symbols = tf.dynamic_stitch([tf.cast(p, "int32") for p in places], values)
            passed += rest
            above, below = cells[current][:, :, :begin], cells[current][:, :, end:]
            symbols = tf.reshape(symbols, tf.shape(chosen))
            symbols = tf.concat([above, symbols, below], axis=2)
            symbols.set_shape(cells[current].shape)
            cells[current] = symbols
            if current < PASSES - 1:
                part.know(current, symbols)
        return (number + 1, handle, passed, *cells)

    cells = split_passes(like)
    count = -(-tf.shape(cells[0])[2] // rows)
    _, _, _, *cells = tf.while_loop(
        lambda number, *_: number < count,
        stripe,
        (0, handle, 0, *cells),
        parallel_iterations=1,
    )
    return join_passes(cells)


def _in_order(maps):
    """A map in the order in which it is coded: by stripes, in them by passes; [N]."""
    import tensorflow as tf

    cells = tf.stack(split_passes(maps))[:, :, 0]
    rows = stripe_rows(tf.shape(maps)[2]) // 2
    below = -tf.shape(cells)[2] % rows
    pads = [[0, 0], [0, 0], [0, below], [0, 0], [0, 0]]
    cells = tf.pad(cells, pads, constant_values=_NOTHING)
    width, depth = tf.shape(cells)[3], cells.shape[4]
    stripes = tf.reshape(cells, [PASSES, 4, -1, rows * width * depth])
    order = tf.reshape(tf.transpose(stripes, [2, 0, 1, 3]), [-1])
    return tf.boolean_mask(order, order != _NOTHING)


def _bits(symbols, tables):
    """How many bits symbols [N] would take under the first table: a float64."""
    import tensorflow as tf

    *bits, escape = tables.precision - np.log2(np.diff(tables.cumulatives[0]))
    last = len(bits) - 1
    places = symbols - int(tables.offsets[0])
    inside = tf.gather(np.array(bits), tf.clip_by_value(places, 0, last))
    beyond = tf.cast(tf.maximum(-places, places - last), "float64")
    logarithms = tf.floor(tf.math.log(tf.maximum(beyond, 1.0)) / np.log(2.0) + 1e-12)
    return tf.reduce_sum(tf.where(beyond > 0, escape + 2 * logarithms + 2, inside))


def _written(symbols):
    """`write_outliers` of those of [N] that are not zero, as a string."""
    import tensorflow as tf

    positions = tf.where(symbols != 0)[:, 0]
    values = tf.cast(tf.gather(symbols, positions), "int64")
    gaps = positions - tf.concat([[tf.constant(-1, "int64")], positions[:-1]], 0) - 1
    codes = 2 * tf.abs(values) - 2 + tf.cast(values < 0, "int64")
    numbers = tf.reshape(tf.stack([gaps, codes], axis=-1), [-1])
    numbers = tf.concat([[tf.size(positions, "int64")], numbers], 0)
    left = tf.bitwise.right_shift(numbers[:, None], _SHIFTS)
    digits = left % 128 + tf.where(left >= 128, tf.constant(128, "int64"), 0)
    written = tf.boolean_mask(digits, (left > 0) | (_SHIFTS == 0))
    return tf.strings.reduce_join(tf.gather(_BYTES, written))


def _read(data, count):
    """What stands before the coded symbols.

    Returns:
        Whether symbols are skipped; these in their order, int32 [count], as many as
        there may be; and what follows.
    """
    import tensorflow as tf

    skipping = tf.strings.substr(data, 0, 1) == _SKIPPING
    data = _from(data, 1)
    # There is a number even where there are no bytes.
    digits = tf.cast(tf.io.decode_raw(tf.strings.join([data, b"\0"]), "uint8"), "int64")
    ends = tf.where(digits < 128)[:, 0]
    number = tf.cumsum(tf.cast(digits < 128, "int64"), exclusive=True)
    starts = tf.concat([[tf.constant(0, "int64")], ends + 1], 0)
    shifts = 7 * (tf.range(tf.size(digits, "int64")) - tf.gather(starts, number))
    digits = tf.bitwise.left_shift(digits % 128, tf.minimum(shifts, _SHIFTS[-1]))
    numbers = tf.math.unsorted_segment_sum(digits, number, tf.size(ends))
    pairs = tf.minimum(numbers[0], (tf.size(numbers, "int64") - 1) // 2)
    pairs = tf.where(skipping, pairs, 0)
    gaps, codes = tf.unstack(tf.reshape(numbers[1 : 2 * pairs + 1], [-1, 2]), axis=1)
    values = (codes // 2 + 1) * tf.where(codes % 2 == 1, tf.constant(-1, "int64"), 1)
    positions = tf.cumsum(gaps + 1) - 1
    inside = (positions >= 0) & (positions < tf.cast(count, "int64"))
    positions, values = (tf.boolean_mask(x, inside) for x in (positions, values))
    others = tf.scatter_nd(
        positions[:, None], tf.cast(values, "int32"), [tf.cast(count, "int64")]
    )
    end = tf.where(skipping, tf.gather(ends, 2 * pairs) + 1, 0)
    return skipping, others, _from(data, tf.cast(end, "int32"))


def _from(data, place):
    """What a string has from a place on, nothing if it ends before."""
    import tensorflow as tf

    length = tf.strings.length(data)
    return tf.strings.substr(data, tf.minimum(place, length), length)
