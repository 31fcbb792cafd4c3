"""Integers to bytes and back, under integer probability tables.

TensorFlow Compression's ops do the work where they can be loaded, a range coder in
Python elsewhere. Both write the same bytes and refuse the same ones.
"""

import os

import numpy as np

from yoto_tf.entropy.portable_range_coder import LIMIT, decode_symbols, encode_symbols
from yoto_tf.entropy.tfc_ops import load_tfc_ops
from yoto_tf.errors import FormatError, YotoError


def encode(symbols, indexes, tables):
    """Encodes integers.

    Args:
        symbols: int array [N]. An integer outside of its table is escaped, which costs
            about 2 log2 of its distance in bits; it may lie up to 2**30 away.
        indexes: int array [N], the table of each, from 0 to len(tables) - 1.
        tables: CodingTables.

    Returns:
        bytes, empty for N = 0.

    Raises:
        YotoError: if a symbol or an index is out of range.
    """
    indexes = _checked_indexes(indexes, tables)
    symbols = np.asarray(symbols).astype("int64")
    if symbols.shape != indexes.shape:
        raise YotoError(f"{symbols.shape} symbols, expected {indexes.shape} as indexes")
    if not symbols.size:
        return b""
    symbols -= tables.offsets[indexes]
    if not _in_range(symbols):
        raise YotoError("a symbol is 2**30 or more away from the first of its table")
    ops = load_tfc_ops()
    if ops is None:
        return encode_symbols(symbols, indexes, tables)
    return _encode_with_ops(ops, symbols, indexes, tables)


def decode(data, indexes, tables):
    """Decodes what `encode` wrote.

    Args:
        data: bytes.
        indexes: int array [N], the table of each symbol, as given to `encode`.
        tables: CodingTables, the same as given to `encode`.

    Returns:
        int32 array [N].

    Raises:
        FormatError: if `data` is not what `encode` returns for any symbols.
        YotoError: if an index is out of range.
    """
    indexes = _checked_indexes(indexes, tables)
    if not indexes.size:
        if data:
            raise FormatError(f"damaged data: expected no bytes, got {len(data)}")
        return np.zeros(0, "int32")
    ops = load_tfc_ops()
    if ops is None:
        symbols = decode_symbols(data, indexes, tables)
    else:
        symbols = _decode_with_ops(ops, data, indexes, tables)
    return (symbols + tables.offsets[indexes]).astype("int32")


def _checked_indexes(indexes, tables):
    indexes = np.asarray(indexes).astype("int32")
    if indexes.size and not 0 <= indexes.min() <= indexes.max() < len(tables):
        raise YotoError(
            f"table indexes from {indexes.min()} to {indexes.max()}, expected from 0 "
            f"to {len(tables) - 1}"
        )
    return indexes


def _in_range(symbols):
    return -LIMIT < symbols.min() <= symbols.max() < LIMIT


def _encode_with_ops(ops, symbols, indexes, tables):
    import tensorflow as tf

    with tf.device("/cpu:0"):
        handle = ops.create_range_encoder([], tables.lookup)
        handle = ops.entropy_encode_index(handle, indexes, symbols.astype("int32"))
        return ops.entropy_encode_finalize(handle).numpy()


def _decode_with_ops(ops, data, indexes, tables):
    import tensorflow as tf

    # Intact data may leave out zeros at its end. On forged data the op can count the
    # zeros of an escaped number for ever; bytes that nobody can foresee stop it.
    zeros = bytes(4096 + tables.precision * indexes.size // 8)
    data_and_stop = data + zeros + os.urandom(16)
    with tf.device("/cpu:0"):
        handle = ops.create_range_decoder(data_and_stop, tables.lookup)
        handle, symbols = ops.entropy_decode_index(
            handle, indexes, indexes.shape, tf.int32
        )
    symbols = symbols.numpy().astype("int64")
    # The op's own check would trip over the zeros, and misses much that this one finds.
    if (
        not _in_range(symbols)
        or _encode_with_ops(ops, symbols, indexes, tables) != data
    ):
        raise FormatError("damaged data: the range coder did not end where it should")
    return symbols
