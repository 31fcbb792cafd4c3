"""Integers to bytes and back, under integer probability tables.

TensorFlow Compression's ops do the work where they can be loaded, a range coder in
Python elsewhere. Both write the same bytes and refuse the same ones.
"""

import os

import numpy as np

from yoto_tf.entropy.portable_range_coder import LIMIT, decode_symbols, encode_symbols
from yoto_tf.entropy.tfc_ops import load_tfc_ops
from yoto_tf.errors import FormatError, YotoError
from yoto_tf.machine.processes import check_process


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
    return encode_chunks([(symbols, indexes)], tables)


def encode_chunks(chunks, tables):
    """Encodes integers that come piece by piece, to the bytes that `encode` returns.

    Args:
        chunks: iterable of (symbols, indexes), each as for `encode`.
        tables: CodingTables.

    Returns:
        bytes.

    Raises:
        YotoError: if a symbol or an index is out of range.
        ForkedProcessError: see `yoto_tf.machine.processes`.
    """
    ops = load_tfc_ops()
    chunks = (_checked_chunk(*chunk, tables) for chunk in chunks)
    if ops is None:
        return encode_symbols(chunks, tables)
    check_process()
    encoder = _Encoder(ops, tables)
    for symbols, indexes in chunks:
        encoder.append(symbols, indexes)
    return encoder.finish()


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
    indexes = np.asarray(indexes)
    [symbols] = decode_chunks(data, [indexes], indexes.size, tables)
    return symbols


def decode_chunks(data, chunks, count, tables):
    """Decodes what `encode_chunks` wrote, piece by piece.

    Only once the last piece has been taken is it known that the data is intact.

    Args:
        data: bytes.
        chunks: iterable of indexes, each as for `decode`; the pieces need not be those
            that were encoded.
        count: int, the number of symbols in all chunks together.
        tables: CodingTables, the same as given to `encode_chunks`.

    Yields:
        int32 array of the symbols of each chunk.

    Raises:
        FormatError: if `data` is not what `encode_chunks` returns for any symbols.
        YotoError: if an index is out of range.
    """
    # It may be a bytearray or a memoryview.
    data = bytes(data)
    if not count and data:
        raise FormatError(f"damaged data: expected no bytes, got {len(data)}")
    ops = load_tfc_ops()
    chunks = (_checked_indexes(chunk, tables) for chunk in chunks)
    if ops is None:
        pieces = decode_symbols(data, chunks, tables)
    else:
        check_process()
        pieces = _decode_with_ops(ops, data, chunks, count, tables)
    for symbols, indexes in pieces:
        yield (symbols + tables.offsets[indexes]).astype("int32")


def _checked_indexes(indexes, tables):
    indexes = np.asarray(indexes).astype("int32")
    if indexes.size and not 0 <= indexes.min() <= indexes.max() < len(tables):
        raise YotoError(
            f"table indexes from {indexes.min()} to {indexes.max()}, expected from 0 "
            f"to {len(tables) - 1}"
        )
    return indexes


def _checked_chunk(symbols, indexes, tables):
    """Symbols, numbered from the first of their table, and indexes."""
    indexes = _checked_indexes(indexes, tables)
    symbols = np.asarray(symbols).astype("int64")
    if symbols.shape != indexes.shape:
        raise YotoError(f"{symbols.shape} symbols, expected {indexes.shape} as indexes")
    symbols -= tables.offsets[indexes]
    if symbols.size and not _in_range(symbols):
        raise YotoError("a symbol is 2**30 or more away from the first of its table")
    return symbols, indexes


def _in_range(symbols):
    return -LIMIT < symbols.min() <= symbols.max() < LIMIT


class _Encoder:
    """The compiled encoder; it is made when there is something to encode."""

    def __init__(self, ops, tables):
        self._ops = ops
        self._handle = None
        self._lookup = tables.lookup

    def append(self, symbols, indexes):
        import tensorflow as tf

        if not symbols.size:
            return
        with tf.device("/cpu:0"):
            if self._handle is None:
                self._handle = self._ops.create_range_encoder([], self._lookup)
            self._handle = self._ops.entropy_encode_index(
                self._handle, indexes, symbols.astype("int32")
            )

    def finish(self):
        import tensorflow as tf

        if self._handle is None:
            return b""
        with tf.device("/cpu:0"):
            return self._ops.entropy_encode_finalize(self._handle).numpy()


def _decode_with_ops(ops, data, chunks, count, tables):
    import tensorflow as tf

    # Intact data may leave out zeros at its end. On forged data the op can count the
    # zeros of an escaped number for ever; bytes that nobody can foresee stop it.
    zeros = bytes(4096 + tables.precision * count // 8)
    data_and_stop = data + zeros + os.urandom(16)
    with tf.device("/cpu:0"):
        handle = ops.create_range_decoder(data_and_stop, tables.lookup)
    del zeros, data_and_stop
    again = _Encoder(ops, tables)
    # The op's own check would trip over the zeros, and misses much that this one finds.
    damage = FormatError("damaged data: the range coder did not end where it should")
    for indexes in chunks:
        with tf.device("/cpu:0"):
            handle, symbols = ops.entropy_decode_index(
                handle, indexes, indexes.shape, tf.int32
            )
        symbols = symbols.numpy().astype("int64")
        if symbols.size and not _in_range(symbols):
            raise damage
        again.append(symbols, indexes)
        yield symbols, indexes
    if again.finish() != data:
        raise damage
