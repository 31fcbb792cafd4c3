"""An entropy coder for NumPy: many asymmetric numeral systems side by side.

A range coder takes one symbol at a time. Here a few hundred coders, the lanes, each
take one at the same time: symbol number i of a call goes to lane i modulo their number.
All share one sequence of words, so a lane costs no more than its four bytes of state.
Frequencies may differ from symbol to symbol and may depend on what was decoded in
earlier calls. All is integer arithmetic: every machine reads and writes the same bytes.

Duda, "Asymmetric numeral systems", 2013; Giesen, "Interleaved entropy coders", 2014.
"""

import numpy as np

from yoto_tf.errors import FormatError

PRECISION = 14
_TOTAL = 1 << PRECISION
# A state lies in [LOWEST, LOWEST · 2^16) between symbols.
_LOWEST = 1 << 16


def encode_intervals(pieces, lanes):
    """Encodes symbols that are given by the intervals of their distributions.

    Args:
        pieces: list of (starts, frequencies), one for each call of `Decoder.decode`:
            integer arrays [N], of each symbol the summed frequencies of those before it
            and its own, which is at least 1; all of them sum to 2^14.
        lanes: number of lanes, at least 1.

    Returns:
        bytes.
    """
    state = np.full(lanes, _LOWEST, "uint64")
    words = []
    # The last symbol is encoded first: decoding runs the other way.
    for starts, frequencies in reversed(pieces):
        starts = np.asarray(starts, "uint64")
        frequencies = np.asarray(frequencies, "uint64")
        limits = frequencies << np.uint64(32 - PRECISION)
        whole = np.uint64(_TOTAL)
        for begin in reversed(range(0, len(starts), lanes)):
            f = frequencies[begin : begin + lanes]
            x = state[: len(f)]
            full = x >= limits[begin : begin + lanes]
            if full.any():
                words.append(x[full].astype("<u2"))
                x = np.where(full, x >> np.uint64(16), x)
            quotient = x // f
            x = x + quotient * (whole - f)
            x += starts[begin : begin + lanes]
            state[: len(f)] = x
    words.reverse()
    return state.astype("<u4").tobytes() + b"".join(w.tobytes() for w in words)


class Decoder:
    """Decodes what `encode_intervals` wrote.

    Args:
        data: bytes.
        lanes: as it was given to `encode_intervals`.

    Raises:
        FormatError: fewer bytes than the lanes' states.
    """

    def __init__(self, data, lanes):
        if len(data) < 4 * lanes or len(data) % 2:
            raise FormatError("damaged data: the entropy coder's states are cut off")
        self._state = np.frombuffer(data, "<u4", lanes).astype("uint64")
        self._words = np.frombuffer(data, "<u2", offset=4 * lanes).astype("uint64")
        self._taken = 0

    def decode(self, contexts, tables):
        """Decodes the symbols of one piece.

        Args:
            contexts: int array [N], which row of the tables each symbol has.
            tables: `FrequencyTables`.

        Returns:
            uint8 array [N].

        Raises:
            FormatError: more symbols than the data holds.
        """
        symbols = np.empty(len(contexts), "uint8")
        rows = contexts.astype("int64")
        slots_of, symbols_of = rows << PRECISION, tables.symbols
        rows *= tables.frequencies.shape[1]
        frequencies = tables.frequencies.ravel().astype("uint64")
        starts = tables.starts.ravel().astype("uint64")
        mask, low = np.uint64(_TOTAL - 1), np.uint64(_LOWEST)
        shift, word = np.uint64(PRECISION), np.uint64(16)
        lanes, taken = len(self._state), self._taken
        for begin in range(0, len(contexts), lanes):
            end = begin + lanes
            row = rows[begin:end]
            x = self._state[: len(row)]
            slot = x & mask
            found = symbols_of[slots_of[begin:end] + slot.astype("int64")]
            symbols[begin:end] = found
            row = row + found
            x = frequencies[row] * (x >> shift) + slot - starts[row]
            empty = np.flatnonzero(x < low)
            if empty.size:
                words = self._words[taken : taken + empty.size]
                if len(words) < empty.size:
                    raise FormatError(
                        "damaged data: the entropy coder runs out of bytes"
                    )
                x[empty] = x[empty] << word | words
                taken += empty.size
            self._state[: len(row)] = x
        self._taken = taken
        return symbols

    def finish(self):
        """Checks that all is decoded.

        Raises:
            FormatError: something is left over, or what was decoded is not what was
                encoded.
        """
        if self._taken != len(self._words) or np.any(self._state != _LOWEST):
            raise FormatError("damaged data: the entropy coder did not end at its end")


class FrequencyTables:
    """Distributions over up to 256 symbols, for both directions.

    Args:
        frequencies: int array [contexts, symbols] ≥ 0, whose rows sum to 2^14.

    Attributes:
        frequencies: the same.
        starts: int array of that shape, the sums of what stands before.
    """

    def __init__(self, frequencies):
        self.frequencies = frequencies
        self.starts = np.cumsum(frequencies, axis=1) - frequencies

    @property
    def symbols(self):
        """uint8 [contexts · 2^14]: of each slot its symbol."""
        contexts, symbols = self.frequencies.shape
        symbol = np.tile(np.arange(symbols, dtype="uint8"), contexts)
        return np.repeat(symbol, self.frequencies.ravel())
