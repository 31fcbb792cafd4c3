"""Pictures to bytes and back, exactly or within a greatest error per sample.

    offset  bytes  field
    0       1      tolerance, the greatest error of a sample: 0 to 127
            …      for each tile, from left to right and from top to bottom:
                   1 byte its kind, 4 bytes its length, and so many bytes

No tile depends on another, so that the memory it takes does not grow with the picture.
Encoder and decoder work with integers alone: the pixels are the same on every machine.
"""

import itertools
import struct

import numpy as np

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.lossless.band import decode_band, encode_band
from yoto_tf.zoo.codec.lossless.repeats import (
    decode_repeats,
    encode_repeats,
)

MAX_TOLERANCE = 127
# A picture is cut into tiles of equal size, no longer than this.
_SIDE = 1536
_PREDICTED, _REPEATED = 0, 1
_TILE = struct.Struct("<BI")


def encode_picture(image, tolerance=0):
    """Encodes a picture.

    Args:
        image: uint8 [H, W, 3].
        tolerance: int from 0 to 127, the greatest error of a sample; 0: exact.

    Returns:
        bytes.
    """
    parts = [bytes([tolerance])]
    for rows, columns in _tiles(*image.shape[:2]):
        kind, data = _encode_tile(image[rows, columns], tolerance)
        parts += [_TILE.pack(kind, len(data)), data]
    return b"".join(parts)


def decode_picture(data, height, width):
    """Decodes what `encode_picture` wrote.

    Args:
        data: bytes.
        height, width: of the picture.

    Returns:
        uint8 [H, W, 3].

    Raises:
        FormatError: other bytes.
    """
    tolerance = tolerance_of(data)
    tiles = list(_split(data, len(_tiles(height, width))))
    image = None
    for (rows, columns), (kind, part) in zip(_tiles(height, width), tiles, strict=True):
        size = rows.stop - rows.start, columns.stop - columns.start
        if kind == _PREDICTED:
            tile = decode_band(part, *size, tolerance)
        else:
            tile = decode_repeats(part, *size)
        # Not before a tile was found intact: a forged size shall cost nothing.
        if image is None:
            image = np.empty((height, width, 3), "uint8")
        image[rows, columns] = tile
    return image


def tolerance_of(data):
    """The greatest error of a sample in an encoded picture.

    Raises:
        FormatError: an impossible one.
    """
    if not data or data[0] > MAX_TOLERANCE:
        raise FormatError("damaged data: a tolerance from 0 to 127 is missing")
    return data[0]


def _encode_tile(image, tolerance):
    predicted = encode_band(image, tolerance)
    repeated = encode_repeats(image, len(predicted))
    if repeated is None:
        return _PREDICTED, predicted
    return _REPEATED, repeated


def _split(data, count):
    """Yields kind and bytes of each tile."""
    at = 1
    for _ in range(count):
        if len(data) < at + _TILE.size:
            raise FormatError("damaged data: tiles are missing")
        kind, length = _TILE.unpack_from(data, at)
        at += _TILE.size + length
        if kind not in (_PREDICTED, _REPEATED) or len(data) < at:
            raise FormatError("damaged data: a tile ends beyond its end")
        yield kind, data[at - length : at]
    if at != len(data):
        raise FormatError("damaged data: more than its tiles")


def _tiles(height, width):
    """(rows, columns), slices, of each tile."""
    return [
        (rows, columns)
        for rows in _equal_parts(height)
        for columns in _equal_parts(width)
    ]


def _equal_parts(length):
    count = -(-length // _SIDE)
    edges = [length * part // count for part in range(count + 1)]
    return [slice(*pair) for pair in itertools.pairwise(edges)]
