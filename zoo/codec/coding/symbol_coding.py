"""Between a codec's integers and bytes; none of it needs the codec's network.

To write and read files a machine needs the tables of a release and nothing else; the
networks may run elsewhere, say on a model server. Symbols go through the range coder
some rows at a time: a large picture has many of them, and as many table indexes.
"""

import dataclasses

import numpy as np

from yoto_tf.entropy.coding_tables import CodingTables
from yoto_tf.entropy.range_coding import decode_chunks, encode_chunks
from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.integer_scales import IntegerScales
from yoto_tf.zoo.codec.coding.levels import Levels
from yoto_tf.zoo.codec.tiling.spans import spans
from yoto_tf.zoo.release import split_arrays

# Positions of hyper-latents, or of symbols, whose tables are chosen at a time.
_POSITIONS = 2**11
_SYMBOL_POSITIONS = 2**15
# How many rows of hyper-latents (before, after) its own a table index depends on.
_SCALES_REACH = (2, 1)


@dataclasses.dataclass(frozen=True)
class Code:
    """An array of integers that a picture becomes, [h, w, C].

    Attributes:
        name: of the integers in an exported model's signatures.
        indexes: of the numbers of their tables there.
        section: of its tables in a release, and of its bytes.
        side: how many pixels an integer covers along each side.
    """

    name: str
    indexes: str
    section: str
    side: int


HYPER_LATENTS = Code("hyper_latents", "hyper_indexes", "hyper_latents", 64)
SYMBOLS = Code("symbols", "indexes", "latents", 16)


class SymbolCoding:
    """The integers of a codec's network to bytes and back.

    The first code has a table for each level and channel. The tables of a further one
    are chosen by what is decoded before it.

    Args:
        tables: arrays as `NetworkCoding.build_tables` returns them.

    Attributes:
        codes: the `Code`s in which the network describes a picture, in the order in
            which they are decoded.
        code_tables: the `yoto_tf.entropy.CodingTables` of each.
        channels: of each.
        levels: the `Levels` of the coefficient.
    """

    codes: tuple[Code, ...]

    def __init__(self, tables):
        arrays = split_arrays(tables)
        self.levels = Levels(**arrays["levels"])
        self.code_tables = [
            CodingTables.from_arrays(arrays[code.section]) for code in self.codes
        ]
        self.channels = [len(self.code_tables[0]) // len(self.levels.vectors)]

    def write(self, integers, vector):
        """An image's integers to bytes.

        Args:
            integers: of each code an int array [h, w, C].
            vector: the coefficients [1].

        Returns:
            The two sections of a file's payload, the first empty where there is one
            code only.
        """
        level = self.levels.index(vector)
        sections = [
            self._encoded(integers[:number], array, level)
            for number, array in enumerate(integers)
        ]
        return (*[b""] * (2 - len(sections)), *sections)

    def read(self, sections, rows, columns, vector):
        """What `write` wrote.

        Args:
            sections: as `write` returns them.
            rows, columns: of blocks of the first code's size.
            vector: the coefficients [1].

        Returns:
            Of each code an int32 array [h, w, C].

        Raises:
            FormatError: bytes that `write` did not write.
        """
        if len(sections) != 2:
            raise FormatError(
                f"damaged .yoto file: {len(sections)} sections of latents, expected 2"
            )
        level = self.levels.index(vector)
        integers = []
        for number, data in enumerate(sections[-len(self.codes) :]):
            scale = self.codes[0].side // self.codes[number].side
            shape = (scale * rows, scale * columns, self.channels[number])
            integers.append(self._decoded(data, integers, shape, level))
        return tuple(integers)

    def _encoded(self, before, array, level):
        """A code's integers [h, w, C] to bytes, given those of the codes before it."""
        chunks = _paired(array, self._indexes(before, array.shape, level))
        return encode_chunks(chunks, self.code_tables[len(before)])

    def _decoded(self, data, before, shape, level):
        """What `_encoded` wrote of a code's integers [h, w, C]."""
        array, tables = np.empty(shape, "int32"), self.code_tables[len(before)]
        chunks = (index for *_, index in self._indexes(before, shape, level))
        _fill(array, decode_chunks(data, chunks, array.size, tables))
        return array

    def _indexes(self, before, shape, level):
        """Yields first and last row of a code's integers, and their flat table indexes.

        Args:
            before: the integers of the codes before it.
            shape: [h, w, C] of its integers.
            level: int.
        """
        height, width, channels = shape
        size = max(_SYMBOL_POSITIONS // width, 1)
        for _, _, first, last in spans(height, size, (0, 0)):
            yield first, last, channel_indexes((last - first, width, channels), level)


class FactorizedSymbolCoding(SymbolCoding):
    """Symbols of a `FactorizedPrior` to bytes and back."""

    codes = (SYMBOLS,)


class HyperpriorSymbolCoding(SymbolCoding):
    """Hyper-latents and symbols of a `Hyperprior` to bytes and back.

    Attributes:
        hyper_tables, tables: the `CodingTables` of hyper-latents and of symbols.
        scales: the `IntegerScales` that choose the latter by hyper-latents.
    """

    codes = (HYPER_LATENTS, SYMBOLS)

    def __init__(self, tables):
        super().__init__(tables)
        self.hyper_tables, self.tables = self.code_tables
        self.scales = IntegerScales.from_arrays(split_arrays(tables)["scales"])
        self.channels.append(self.scales.kernels[-1].shape[-1])

    def _indexes(self, before, shape, level):
        if not before:
            yield from super()._indexes(before, shape, level)
            return
        [hyper_latents] = before
        height, width, _ = hyper_latents.shape
        size = max(_POSITIONS // width, 2 * sum(_SCALES_REACH))
        for begin, end, first, last in spans(height, size, _SCALES_REACH):
            indexes = self.scales(hyper_latents[begin:end], level)
            kept = indexes[4 * (first - begin) : 4 * (last - begin)]
            yield 4 * first, 4 * last, kept.ravel()


def _paired(integers, indexes):
    """Yields the integers of some rows, and their indexes, both flat."""
    for first, last, chunk in indexes:
        yield integers[first:last].ravel(), chunk


def _fill(symbols, chunks):
    """Fills an array with flat pieces, all of which it takes: the last is a check."""
    flat, begin = symbols.reshape(-1), 0
    for chunk in chunks:
        flat[begin : begin + chunk.size] = chunk
        begin += chunk.size


def channel_indexes(shape, level):
    """Flat indexes for values [h, w, C] with a table for each level and channel."""
    row = level * shape[-1] + np.arange(shape[-1], dtype="int32")
    return np.broadcast_to(row, shape).ravel()
