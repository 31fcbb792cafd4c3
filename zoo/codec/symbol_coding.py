"""Between a codec's integers and bytes; none of it needs the codec's network.

What a machine must hold to write and read files is a release's tables: where the
networks run elsewhere, say on a model server, this is all that stays behind. Symbols
go through the range coder some rows at a time, for they are many in a large picture and
their table indexes as many.
"""

import numpy as np

from yoto_tf import entropy
from yoto_tf.zoo.codec.integer_scales import IntegerScales
from yoto_tf.zoo.codec.levels import Levels
from yoto_tf.zoo.codec.tiles import spans
from yoto_tf.zoo.release import split_arrays

# Positions of hyper-latents, or of symbols, whose tables are chosen at a time.
_POSITIONS = 2**11
_SYMBOL_POSITIONS = 2**15
# How many rows of hyper-latents (before, after) its own a table index depends on.
_SCALES_REACH = (2, 1)


class HyperpriorSymbolCoding:
    """Hyper-latents and symbols of a `Hyperprior` to bytes and back.

    Args:
        tables: arrays as `HyperpriorCoding.build_tables` returns them.
    """

    def __init__(self, tables):
        tables = split_arrays(tables)
        self.levels = Levels(**tables["levels"])
        self.scales = IntegerScales.from_arrays(tables["scales"])
        self.hyper_tables = entropy.CodingTables.from_arrays(tables["hyper_latents"])
        self.tables = entropy.CodingTables.from_arrays(tables["latents"])

    def write(self, hyper_latents, symbols, vector):
        """Integers of one image, without batch axis, to two byte strings."""
        level = self.levels.index(vector)
        chunks = (
            (symbols[first:last].ravel(), indexes)
            for first, last, indexes in self._indexes(hyper_latents, level)
        )
        return (
            entropy.encode(
                hyper_latents.ravel(),
                channel_indexes(hyper_latents.shape, level),
                self.hyper_tables,
            ),
            entropy.encode_chunks(chunks, self.tables),
        )

    def read(self, sections, rows, columns, vector):
        """What `write` wrote for an image of rows × columns blocks of 64×64 pixels.

        Raises:
            FormatError: bytes that `write` did not write.
        """
        level = self.levels.index(vector)
        shape = (rows, columns, _channels(self.hyper_tables, self.levels))
        hyper_latents = entropy.decode(
            sections[0], channel_indexes(shape, level), self.hyper_tables
        ).reshape(shape)
        channels = self.scales.kernels[-1].shape[-1]
        symbols = np.empty((4 * rows, 4 * columns, channels), "int32")
        chunks = (indexes for _, _, indexes in self._indexes(hyper_latents, level))
        decoded = entropy.decode_chunks(sections[1], chunks, symbols.size, self.tables)
        _fill(symbols, decoded)
        return hyper_latents, symbols

    def _indexes(self, hyper_latents, level):
        """Yields first and last row of symbols, and their flat table indexes."""
        height, width, _ = hyper_latents.shape
        size = max(_POSITIONS // width, 2 * sum(_SCALES_REACH))
        for begin, end, first, last in spans(height, size, _SCALES_REACH):
            indexes = self.scales(hyper_latents[begin:end], level)
            kept = indexes[4 * (first - begin) : 4 * (last - begin)]
            yield 4 * first, 4 * last, kept.ravel()


class FactorizedSymbolCoding:
    """Symbols of a `FactorizedPrior` to bytes and back.

    Args:
        tables: arrays as `FactorizedCoding.build_tables` returns them.
    """

    def __init__(self, tables):
        tables = split_arrays(tables)
        self.levels = Levels(**tables["levels"])
        self.tables = entropy.CodingTables.from_arrays(tables["latents"])

    def write(self, symbols, vector):
        """Integers of one image, without batch axis, to two byte strings."""
        chunks = (
            (symbols[first:last].ravel(), indexes)
            for first, last, indexes in self._indexes(symbols.shape, vector)
        )
        return b"", entropy.encode_chunks(chunks, self.tables)

    def read(self, sections, rows, columns, vector):
        """What `write` wrote for an image of rows × columns blocks of 16×16 pixels.

        Raises:
            FormatError: bytes that `write` did not write.
        """
        channels = _channels(self.tables, self.levels)
        symbols = np.empty((rows, columns, channels), "int32")
        chunks = (indexes for _, _, indexes in self._indexes(symbols.shape, vector))
        decoded = entropy.decode_chunks(sections[1], chunks, symbols.size, self.tables)
        _fill(symbols, decoded)
        return (symbols,)

    def _indexes(self, shape, vector):
        """Yields first and last row of symbols, and their flat table indexes."""
        height, width, channels = shape
        level = self.levels.index(vector)
        size = max(_SYMBOL_POSITIONS // width, 1)
        for _, _, first, last in spans(height, size, (0, 0)):
            yield first, last, channel_indexes((last - first, width, channels), level)


def _fill(symbols, chunks):
    """Fills an array with flat pieces; takes them all, the last check with them."""
    flat, begin = symbols.reshape(-1), 0
    for chunk in chunks:
        flat[begin : begin + chunk.size] = chunk
        begin += chunk.size


def channel_indexes(shape, level):
    """Flat indexes for values [h, w, C] with a table for each level and channel."""
    row = level * shape[-1] + np.arange(shape[-1], dtype="int32")
    return np.broadcast_to(row, shape).ravel()


def _channels(tables, levels):
    """The number of channels that have a table for each level."""
    return len(tables) // len(levels.vectors)
