"""The range coder of TensorFlow Compression, in Python.

Martin, "Range coding: an algorithm for removing redundancy from a digitised message",
1979, in 32-bit arithmetic with output in 16-bit words; integers outside of a table as
an escape symbol, an Elias gamma code and a sign. It reads and writes the same bytes as
the compiled ops, at some hundred thousand symbols a second, on machines without them.
"""

import itertools
from bisect import bisect_right

import numpy as np

from yoto_tf.errors import FormatError

WHOLE = 1 << 32
# The compiled encoder never returns from an escaped number of 31 binary digits.
MAX_DIGITS = 30
LIMIT = 1 << MAX_DIGITS


def encode_symbols(chunks, tables):
    """Encodes symbols numbered from the first of their table.

    Args:
        chunks: iterable of (symbols, indexes): int64 array [N], integers minus the
            offsets of their tables, each smaller than `LIMIT` in magnitude, and int
            array [N], the table of each.
        tables: CodingTables.

    Returns:
        bytes.
    """
    words = []
    base, size = 0, WHOLE
    for lower, upper, precision in _intervals(chunks, tables):
        below = size * lower >> precision
        size = (size * upper >> precision) - below
        base += below
        if base >= WHOLE:
            base -= WHOLE
            _carry(words)
        if size <= 0x10000:
            words.append(base >> 16)
            base = (base & 0xFFFF) << 16
            size <<= 16

    # The shortest number inside of the last interval ends the string; the decoder
    # reads zeros beyond the end.
    if base + size > WHOLE:
        _carry(words)
        while words[-1] == 0:
            words.pop()
        data = np.array(words, ">u2").tobytes()
        return data[:-1] if data[-1] == 0 else data
    return np.array(words, ">u2").tobytes() + _last_bytes(base, size)


def decode_symbols(data, chunks, tables):
    """Decodes what `encode_symbols` wrote, and nothing else.

    Args:
        data: bytes.
        chunks: iterable of int arrays [N], the table of each symbol.
        tables: CodingTables.

    Yields:
        (symbols, indexes) of each chunk, as `encode_symbols` takes them.

    Raises:
        FormatError: if `data` is not the encoding of any N symbols.
    """
    source = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").tolist()
    next_word = itertools.chain(source, itertools.repeat(0)).__next__
    cumulatives, precision = tables.cumulatives, tables.precision
    base, size, num_words = 0, WHOLE, 0
    # Where the encoded number lies inside of the interval.
    position = next_word() << 16 | next_word()

    def renormalize():
        nonlocal base, size, num_words, position
        base = (base & 0xFFFF) << 16
        size <<= 16
        position = position << 16 | next_word()
        num_words += 1

    def decode_bit():
        nonlocal base, size, position
        half = size >> 1
        bit = position >= half
        if bit:
            base += half
            position -= half
            size -= half
        else:
            size = half
        if size <= 0x10000:
            renormalize()
        return bit

    def decode_escaped(escape):
        digits = 1
        while digits <= MAX_DIGITS and not decode_bit():
            digits += 1
        gamma = 1
        for _ in range(digits - 1):
            gamma = gamma << 1 | decode_bit()
        symbol = -gamma if decode_bit() else escape + gamma - 1
        if abs(symbol) >= LIMIT:
            raise FormatError("damaged data: an escaped integer is out of range")
        return symbol

    for indexes in chunks:
        symbols = []
        for index in indexes.tolist():
            cumulative = cumulatives[index]
            fraction = ((position + 1 << precision) - 1) // size
            symbol = bisect_right(cumulative, fraction) - 1
            below = size * cumulative[symbol] >> precision
            size = (size * cumulative[symbol + 1] >> precision) - below
            base += below
            position -= below
            if size <= 0x10000:
                renormalize()
            if symbol == len(cumulative) - 2:
                symbol = decode_escaped(symbol)
            symbols.append(symbol)
        yield np.array(symbols, "int64"), indexes
    if not _ends_here(data, base % WHOLE, size, position, 2 * num_words):
        raise FormatError("damaged data: the range coder did not end where it should")


def _intervals(chunks, tables):
    """Yields (lower, upper, precision) for each step of the encoder."""
    precision = tables.precision
    for symbols, indexes in chunks:
        escapes = tables.lengths[indexes].astype("int64") - 1
        is_escaped = (symbols < 0) | (symbols >= escapes)
        coded = np.where(is_escaped, escapes, symbols).tolist()
        gammas = np.where(symbols < 0, -symbols, symbols - escapes + 1).tolist()
        for index, symbol, escaped, gamma, negative in zip(
            indexes.tolist(),
            coded,
            is_escaped.tolist(),
            gammas,
            (symbols < 0).tolist(),
            strict=True,
        ):
            cumulative = tables.cumulatives[index]
            yield cumulative[symbol], cumulative[symbol + 1], precision
            if escaped:
                digits = f"{gamma:b}"
                for bit in (*"0" * (len(digits) - 1), *digits, negative):
                    yield int(bit), int(bit) + 1, 1


def _carry(words):
    """Adds one to the last word, and on through words that overflow."""
    last = len(words) - 1
    while words[last] == 0xFFFF:
        words[last] = 0
        last -= 1
    words[last] += 1


def _last_bytes(base, size):
    """The shortest end of the encoded number, for an interval that does not wrap."""
    if base == 0:
        return b""
    top = base + 0xFFFFFF >> 24
    if top << 24 < base + size:
        return bytes([top])
    return (base + 0xFFFF >> 16).to_bytes(2, "big")


def _ends_here(data, base, size, position, num_bytes):
    """Whether the encoder would have ended with exactly these bytes."""
    value = (base + position) % WHOLE
    if base + size > WHOLE:
        return value == 0 and len(data) <= num_bytes and not data.endswith(b"\0")
    end = _last_bytes(base, size)
    return value == int.from_bytes(end.ljust(4, b"\0"), "big") and len(
        data
    ) == num_bytes + len(end)
