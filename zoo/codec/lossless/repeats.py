"""What repeats itself, such as stripes, text and pixel art: a table and a dictionary.

offset  bytes  field
0       1      number of colours in the table less one; 255 where there is no table
               or 256 of them
1       1      binary digits of an index, 0, 1, 2, 4 or 8; 24 where there is no table
        3·n    the colours
        …      rows of indexes, or of colours, as LZMA2 packs them
"""

import lzma
import struct
import zlib

import numpy as np

from yoto_tf.errors import FormatError

_HEAD = struct.Struct("<BB")
_COLOURS = 24
_MAX_COLOURS = 256
_FILTER = {
    "id": lzma.FILTER_LZMA2,
    "preset": 6,
    "dict_size": 1 << 22,
    "lc": 4,
    "lp": 0,
    "pb": 0,
}
# A quick look is crude: where it finds this many times too much, and this many bytes
# more, the dictionary may still get below the limit.
_WORTH_TRYING = 1.25
_SMALL = 2**14


def encode_repeats(image, limit):
    """Encodes a part of a picture, exactly.

    Args:
        image: uint8 [h, w, 3].
        limit: bytes that another way takes. Where a quick look says that this one takes
            more, it is not tried: on photographs a dictionary takes long.

    Returns:
        bytes, or None where they are not fewer than the limit.
    """
    packed = image.astype("uint32") @ np.array([1 << 16, 1 << 8, 1], "uint32")
    colours, indexes = np.unique(packed, return_inverse=True)
    if len(colours) == 1:
        candidates = [_HEAD.pack(0, 0) + image[0, 0].tobytes()]
    else:
        pixels = np.ascontiguousarray(image)
        candidates = [_compress(_HEAD.pack(255, _COLOURS), pixels, limit)]
    if 1 < len(colours) <= _MAX_COLOURS:
        indexes = indexes.reshape(image.shape[:2]).astype("uint8")
        candidates += _encode_indexes(colours, indexes, limit)
    data = min(filter(None, candidates), key=len, default=None)
    return data if data is not None and len(data) < limit else None


def _encode_indexes(colours, indexes, limit):
    table = colours.astype(">u4").view("uint8").reshape(-1, 4)[:, 1:].tobytes()
    few = next(digits for digits in (1, 2, 4, 8) if len(colours) <= 1 << digits)
    # What repeats every few pixels is easier to find in whole bytes.
    return [
        _compress(
            _HEAD.pack(len(colours) - 1, digits) + table,
            _packed(indexes, digits),
            limit,
        )
        for digits in sorted({few, 8})
    ]


def decode_repeats(data, height, width):
    """Decodes what `encode_repeats` wrote.

    Args:
        data: bytes.
        height, width: of the part.

    Returns:
        uint8 [h, w, 3].

    Raises:
        FormatError: other bytes. No more is unpacked than the part needs.
    """
    if len(data) < _HEAD.size:
        raise FormatError("damaged data: a table of colours is cut off")
    head, digits = _HEAD.unpack_from(data)
    if digits == _COLOURS:
        pixels = _decompress(data[_HEAD.size :], 3 * height * width)
        return np.frombuffer(pixels, "uint8").reshape(height, width, 3).copy()
    end = _HEAD.size + 3 * (head + 1)
    if digits not in (0, 1, 2, 4, 8) or len(data) < end or (head and not digits):
        raise FormatError("damaged data: a table of colours is cut off")
    table = np.frombuffer(data[_HEAD.size : end], "uint8").reshape(-1, 3)
    if not digits:
        if len(data) > end:
            raise FormatError("damaged data: more than one colour")
        return np.broadcast_to(table[0], (height, width, 3)).copy()
    row = -(-width * digits // 8)
    packed = np.frombuffer(_decompress(data[end:], height * row), "uint8")
    indexes = _unpacked(packed.reshape(height, row), digits, width)
    if indexes.max() > head:
        raise FormatError("damaged data: a colour that is not in the table")
    return table[indexes]


def _packed(indexes, digits):
    """Rows of indexes, several to a byte, each row in whole bytes."""
    per_byte = 8 // digits
    height, width = indexes.shape
    padded = np.pad(indexes, ((0, 0), (0, -width % per_byte)))
    groups = padded.reshape(height, -1, per_byte)
    shifts = np.arange(per_byte, dtype="uint8") * digits
    return np.bitwise_or.reduce(groups << shifts, axis=-1).astype("uint8")


def _unpacked(packed, digits, width):
    shifts = np.arange(8 // digits, dtype="uint8") * np.uint8(digits)
    groups = packed[..., None] >> shifts & np.uint8((1 << digits) - 1)
    return groups.reshape(len(packed), -1)[:, :width]


def _compress(head, array, limit):
    """The head and a packed array; None where that is hopeless."""
    content = array.tobytes()
    if len(zlib.compress(content, 1)) > _WORTH_TRYING * limit + _SMALL:
        return None
    return head + lzma.compress(content, lzma.FORMAT_RAW, filters=[_FILTER])


def _decompress(data, size):
    """Exactly `size` bytes, and never more."""
    decompressor = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_FILTER])
    try:
        unpacked = decompressor.decompress(data, size + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise FormatError(
            "damaged data: rows that repeat cannot be unpacked"
        ) from error
    if len(unpacked) != size or not decompressor.eof or decompressor.unused_data:
        raise FormatError("damaged data: rows that repeat have another length")
    return unpacked
