"""Integers to and from bytes inside a graph, with TensorFlow Compression's ops.

As `yoto_tf.entropy` does outside of graphs, but that nothing is checked: damaged bytes
decode to some integers, and take no longer than intact ones.
"""

from yoto_tf.entropy.tfc_ops import load_tfc_ops

_ZEROS = 4096


def encode(symbols, indexes, tables):
    """Integers and the numbers of their tables, int32 of one shape, to a string."""
    import tensorflow as tf

    tfc = load_tfc_ops()
    symbols, indexes = (tf.reshape(x, [-1]) for x in (symbols, indexes))
    symbols -= tf.gather(tables.offsets, indexes)
    handle = tfc.create_range_encoder([], tables.lookup)
    handle = tfc.entropy_encode_index(handle, indexes, symbols)
    return tfc.entropy_encode_finalize(handle)


def range_decoder(data, count, tables):
    """The handle of a decoder of a string of at most `count` integers."""
    data = _with_an_end(data, count, tables.precision)
    return load_tfc_ops().create_range_decoder(data, tables.lookup)


def decode(handle, indexes, tables):
    """The handle after them, and integers of the shape of their tables' numbers."""
    import tensorflow as tf

    shape = tf.shape(indexes)
    indexes = tf.reshape(indexes, [-1])
    handle, symbols = load_tfc_ops().entropy_decode_index(
        handle, indexes, tf.shape(indexes), "int32"
    )
    return handle, tf.reshape(symbols + tf.gather(tables.offsets, indexes), shape)


def _with_an_end(data, count, precision):
    """The data and an end at which the decoder stops, as `yoto_tf.entropy` does.

    Intact data may leave out zeros at its end, which are added here. On forged data the
    op would go on counting the zeros of an escaped number for ever: random digits,
    which no forger can foresee, end them.
    """
    import tensorflow as tf

    needed = precision * tf.cast(count, "int64") // 8
    zeros = tf.fill([needed // _ZEROS + 2], tf.constant(bytes(_ZEROS)))
    numbers = tf.random.uniform([8], 0, 2**31 - 1, "int32")
    end = tf.strings.reduce_join(tf.strings.as_string(numbers))
    return tf.strings.join([data, tf.strings.reduce_join(zeros), end])
