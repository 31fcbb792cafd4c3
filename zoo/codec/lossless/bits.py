"""Binary digits as they are: packed, and integers in Rice codes."""

import numpy as np

from yoto_tf.errors import FormatError


class DigitWriter:
    """Packs digits whose number the reader will know."""

    def __init__(self):
        self._parts = []

    def write(self, digits, widths):
        """Appends the lowest `widths` binary digits of each of `digits`, uint8 [N]."""
        ends = np.cumsum(widths, dtype="int64")
        bits = np.zeros(ends[-1] if len(ends) else 0, "uint8")
        starts = ends - widths
        for place in range(int(widths.max(initial=0))):
            has = widths > place
            bits[starts[has] + place] = digits[has] >> place & 1
        self._parts.append(bits)

    def to_bytes(self):
        """All digits; zeros fill the last byte."""
        bits = np.concatenate(self._parts) if self._parts else np.zeros(0, "uint8")
        return np.packbits(bits, bitorder="little").tobytes()


class DigitReader:
    """Reads what a `DigitWriter` wrote.

    Args:
        data: bytes.
    """

    def __init__(self, data):
        self._bytes = np.frombuffer(data, "uint8")
        self._at = 0

    def read(self, widths):
        """The next digits: uint8 [N] for uint8 widths [N].

        Raises:
            FormatError: there are not as many.
        """
        ends = self._at + np.cumsum(widths, dtype="int64")
        end = int(ends[-1]) if len(ends) else self._at
        if end > 8 * len(self._bytes):
            raise FormatError("damaged data: digits are missing")
        starts = ends - widths
        digits = np.zeros(len(widths), "uint8")
        for place in range(int(widths.max(initial=0))):
            has = np.flatnonzero(widths > place)
            at = starts[has] + place
            bit = self._bytes[at >> 3] >> (at & 7).astype("uint8") & 1
            digits[has] |= bit << place
        self._at = end
        return digits

    def finish(self):
        """Checks that nothing but the zeros of the last byte is left.

        Raises:
            FormatError: there is more.
        """
        rest = self._bytes[self._at >> 3 :]
        if len(rest) > bool(self._at & 7) or np.any(rest >> (self._at & 7)):
            raise FormatError("damaged data: more digits than expected")


def rice_encode(arrays):
    """Small integers of either sign, in a Rice code with a parameter for each array.

    Args:
        arrays: list of int arrays, whose lengths the reader will know.

    Returns:
        bytes.
    """
    bits = []
    for array in arrays:
        folded = np.where(array < 0, -2 * array - 1, 2 * array).tolist()
        costs = [sum((n >> k) + 1 + k for n in folded) for k in range(14)]
        parameter = int(np.argmin(costs))
        bits.append(f"{parameter:04b}")
        for number in folded:
            bits.append("1" * (number >> parameter) + "0")
            if parameter:
                bits.append(f"{number & (1 << parameter) - 1:0{parameter}b}")
    bits = "".join(bits)
    return np.packbits(np.frombuffer(bits.encode(), "uint8") - ord("0")).tobytes()


def rice_decode(data, lengths, limit):
    """Reads what `rice_encode` wrote.

    Args:
        data: bytes.
        lengths: of the arrays.
        limit: the greatest magnitude there may be.

    Returns:
        A list of int32 arrays.

    Raises:
        FormatError: other bytes, or a number beyond the limit.
    """
    bits = np.unpackbits(np.frombuffer(data, "uint8")).tobytes()
    arrays, at = [], 0
    for length in lengths:
        parameter = _number(bits, at, 4)
        at += 4
        numbers = []
        for _ in range(length):
            end = bits.find(b"\0", at)
            number = end - at << parameter
            if end < 0 or number > 2 * limit:
                raise FormatError("damaged data: weights beyond their limits")
            number += _number(bits, end + 1, parameter)
            at = end + 1 + parameter
            numbers.append(-(number + 1 >> 1) if number & 1 else number >> 1)
        arrays.append(np.array(numbers, "int32"))
        if np.abs(arrays[-1]).max(initial=0) > limit:
            raise FormatError("damaged data: weights beyond their limits")
    if len(bits) - at > 7 or any(bits[at:]):
        raise FormatError("damaged data: more weights than expected")
    return arrays


def _number(bits, at, width):
    if at + width > len(bits):
        raise FormatError("damaged data: weights are missing")
    value = 0
    for bit in bits[at : at + width]:
        value = value << 1 | bit
    return value
