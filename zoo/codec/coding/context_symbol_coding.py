"""Between the integers of a `ContextHyperprior` and bytes, without its network.

Symbols are coded in stripes of rows from above, each stripe in the four passes of
`quadtree`. The context of a stripe reaches into the one above it, where all is known,
and not into the one below. So the memory that is needed does not grow with the height
of the picture; pictures of up to eight megapixels are one stripe.

Most symbols are expected to be zero: their table is that of the smallest scale. Coding
such a zero still takes 0.003 bits, and time. The "skip mode" (of JPEG AI) leaves these
symbols out; the few among them that are not zero stand before the other symbols, as
places and values (see `outliers`). The encoder takes the smaller of the two modes,
which the first byte of the section names.
"""

import numpy as np

from yoto_tf.entropy.range_coding import decode_chunks, encode_chunks
from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.integer_context import IntegerContext, last_row
from yoto_tf.zoo.codec.coding.outliers import read_outliers, write_outliers
from yoto_tf.zoo.codec.coding.quadtree import CLASSES, GROUPS, PASSES, group_at
from yoto_tf.zoo.codec.coding.symbol_coding import HYPER_LATENTS, SYMBOLS, SymbolCoding
from yoto_tf.zoo.release import split_arrays

# Positions of latents in a stripe.
STRIPE_POSITIONS = 2**15
# What the section of the symbols begins with.
_ALL, _SKIPPING = b"\0", b"\1"


class ContextSymbolCoding(SymbolCoding):
    """Hyper-latents and symbols of a `ContextHyperprior` to bytes and back.

    Args:
        tables: arrays as `ContextCoding.build_tables` returns them.

    Attributes:
        context: the `IntegerContext` that chooses the tables of symbols.
    """

    codes = (HYPER_LATENTS, SYMBOLS)

    def __init__(self, tables):
        super().__init__(tables)
        self.context = IntegerContext(split_arrays(tables)["context"])
        self.channels.append(self.context.channels)

    def pass_indexes(self, number, hyper_latents, symbols, level):
        """The tables of a pass's symbols: at each position of the group coded there.

        Args:
            number: of the pass.
            hyper_latents: int array [h, w, N].
            symbols: int array [4h, 4w, C]; those of earlier passes are looked at.
            level: int.

        Returns:
            int32 [4h, 4w, C/4].
        """
        rows, columns, channels = symbols.shape
        indexes = np.empty((rows, columns, channels // GROUPS), "int32")
        begin = 0
        for stripe, passed, cells in self._passes(hyper_latents, symbols, level):
            if passed == number:
                part = indexes[begin : begin + len(stripe)]
                for (row, column), values in zip(CLASSES, cells, strict=True):
                    part[row::2, column::2] = values
                begin += len(stripe)
        return indexes

    def _encoded(self, before, array, level):
        if not before:
            return super()._encoded(before, array, level)
        tables = self.code_tables[1]
        skipped = _Skipped(tables)
        # The indexes are kept, in one byte each: all symbols may be coded after all.
        chosen = []

        def coded():
            for stripe, number, indexes in self._passes(before[0], array, level):
                cells = _cells(stripe, number)
                chosen.append((stripe, number, indexes.astype("uint8")))
                skipped.append(cells[indexes == 0])
                yield cells[indexes > 0], indexes[indexes > 0]

        section = encode_chunks(coded(), tables)
        outliers = skipped.outliers()
        if 8 * len(outliers) < skipped.bits:
            return _SKIPPING + outliers + section
        chunks = (
            (_cells(stripe, number).ravel(), indexes.ravel())
            for stripe, number, indexes in chosen
        )
        return _ALL + encode_chunks(chunks, tables)

    def _decoded(self, data, before, shape, level):
        if not before:
            return super()._decoded(data, before, shape, level)
        mode, data = data[:1], data[1:]
        positions = values = np.empty(0, "int64")
        if mode == _SKIPPING:
            positions, values, data = read_outliers(data)
        elif mode != _ALL:
            raise FormatError("damaged data: symbols in a mode that does not exist")
        symbols = np.zeros(shape, "int32")
        passed, waiting = 0, []

        def chunks():
            for stripe, number, indexes in self._passes(before[0], symbols, level):
                coded = indexes > 0 if mode == _SKIPPING else indexes >= 0
                waiting.append((stripe, number, coded))
                yield indexes[coded]

        tables = self.code_tables[1]
        for known in decode_chunks(data, chunks(), symbols.size, tables):
            stripe, number, coded = waiting.pop()
            others = np.zeros(coded.size - known.size, "int32")
            first, last = np.searchsorted(positions, [passed, passed + others.size])
            others[positions[first:last] - passed] = values[first:last]
            passed += others.size
            cells = np.empty(coded.shape, "int32")
            cells[coded], cells[~coded] = known, others
            _set_cells(stripe, number, cells)
        if len(positions) and positions[-1] >= passed:
            raise FormatError("damaged data: an outlier beyond the last symbol")
        return symbols

    def _passes(self, hyper_latents, symbols, level):
        """Goes through the stripes and their passes.

        Yields:
            A view of the stripe's rows, the number of the pass, and its table indexes.
            Later passes see the symbols that are there when the next is asked for.
        """
        rows, columns, _ = hyper_latents.shape
        size = max(STRIPE_POSITIONS // (16 * columns), 1)
        above = [None] * PASSES
        for begin in range(0, rows, size):
            end = min(begin + size, rows)
            stripe = symbols[4 * begin : 4 * end]
            part = self.context.part(hyper_latents, level, (begin, end))
            for number in range(PASSES):
                yield stripe, number, part.indexes(number)
                if number < PASSES - 1:
                    cells = _cells(stripe, number)
                    part.know(number, cells, above[number])
                    above[number] = last_row(cells)


class _Skipped:
    """Symbols that are not coded, and what they would cost.

    Args:
        tables: `CodingTables`, of which the first is that of the smallest scale.
    """

    def __init__(self, tables):
        bits = tables.precision - np.log2(np.diff(tables.cumulatives[0]))
        self._bits, self._escape = bits[:-1], bits[-1]
        self._first = int(tables.offsets[0])
        self._count, self._positions, self._values = 0, [], []

    def append(self, symbols):
        """Takes the next of them, int [N]."""
        positions = np.flatnonzero(symbols)
        self._positions.append(self._count + positions)
        self._values.append(symbols[positions])
        self._count += symbols.size

    def outliers(self):
        """Those that are not zero, as bytes."""
        return write_outliers(
            np.concatenate(self._positions), np.concatenate(self._values)
        )

    @property
    def bits(self):
        """How many bits it would take to code them."""
        values = np.concatenate(self._values)
        places = values - self._first
        last = len(self._bits) - 1
        inside = (places >= 0) & (places <= last)
        # An escape symbol, an Elias gamma code and a sign.
        beyond = np.maximum(-places, places - last)[~inside]
        return (
            (self._count - len(values)) * self._bits[-self._first]
            + self._bits[places[inside]].sum()
            + np.sum(self._escape + 2 * np.floor(np.log2(beyond)) + 2)
        )


def _windows(stripe, number):
    """Views of what a pass codes at each class of positions."""
    depth = stripe.shape[-1] // GROUPS
    for position_class, (row, column) in enumerate(CLASSES):
        channel = depth * group_at(position_class, number)
        yield stripe[row::2, column::2, channel : channel + depth]


def _cells(stripe, number):
    """What a pass codes of rows [h, w, C]: [4, h/2, w/2, C/4]."""
    return np.stack(list(_windows(stripe, number)))


def _set_cells(stripe, number, cells):
    for window, values in zip(_windows(stripe, number), cells, strict=True):
        window[...] = values
