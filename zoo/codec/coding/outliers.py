"""The few symbols that are not zero among those that are expected to be.

    count · for each: gap · value

Each is a varint, seven bits a byte from the lowest on. The gap is how many zeros lie
between this symbol and the one before; the value is that of a symbol s as 2|s| − 2, or
2|s| − 1 where s is negative.
"""

import numpy as np

from yoto_tf.entropy.portable_range_coder import MAX_DIGITS
from yoto_tf.errors import FormatError

# About what each takes: a gap of two bytes, for there are few, and a value of one.
OUTLIER_BITS = 24
# Enough for numbers of 35 bits.
_MAX_BYTES = 5


def write_outliers(positions, values):
    """Places, ascending, and values other than zero, int arrays [N], to bytes."""
    gaps = np.diff(positions, prepend=-1) - 1
    codes = 2 * np.abs(values.astype("int64")) - 2 + (values < 0)
    numbers = [len(positions), *np.stack([gaps, codes], axis=-1).ravel().tolist()]
    result = bytearray()
    for number in numbers:
        while number >= 0x80:
            result.append(number & 0x7F | 0x80)
            number >>= 7
        result.append(number)
    return bytes(result)


def read_outliers(data):
    """What `write_outliers` wrote, at the beginning of some data.

    Returns:
        int64 positions [N], int64 values [N], and what follows.

    Raises:
        FormatError: bytes that `write_outliers` did not write.
    """
    count, place = _number(data, 0)
    # Each takes two bytes or more, so that a forged count costs no memory.
    if count > len(data) // 2:
        raise FormatError("damaged data: more outliers than bytes for them")
    numbers = np.empty((count, 2), "int64")
    for row in numbers:
        row[0], place = _number(data, place)
        row[1], place = _number(data, place)
    gaps, codes = numbers.T
    magnitudes = codes // 2 + 1
    if np.any(magnitudes >= 1 << MAX_DIGITS):
        raise FormatError("damaged data: an outlier is out of range")
    values = np.where(codes % 2, -magnitudes, magnitudes)
    return np.cumsum(gaps + 1) - 1, values, data[place:]


def _number(data, place):
    """A varint in its shortest form, and the place behind it."""
    number = 0
    for length, byte in enumerate(data[place : place + _MAX_BYTES]):
        number |= (byte & 0x7F) << 7 * length
        if byte < 0x80:
            if length and not byte:
                break
            return number, place + length + 1
    raise FormatError("damaged data: expected a number in its shortest form")
