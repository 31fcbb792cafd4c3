"""Blocks of a picture that replace what the networks decode there.

One bit for each block of 64 × 64 pixels, rows of them from top to bottom, packed into
bytes, and then the blocks it marks, one below the other, as one picture. They do not
add to what is decoded, whose last digit depends on the machine: they are the same on
all.
"""

import numpy as np

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.lossless.picture import decode_picture, encode_picture
from yoto_tf.zoo.codec.second_layer.oddity import BLOCK


def encode_residual(image, blocks, tolerance):
    """Encodes some blocks.

    Args:
        image: uint8 [H, W, 3].
        blocks: bool [h, w], those to encode; at least one.
        tolerance: int, the greatest error of a sample.

    Returns:
        bytes.
    """
    column = np.empty((BLOCK * int(blocks.sum()), BLOCK, 3), "uint8")
    for number, (rows, columns) in enumerate(_places(blocks)):
        block = image[rows, columns]
        below, right = (BLOCK - side for side in block.shape[:2])
        column[BLOCK * number : BLOCK * (number + 1)] = np.pad(
            block, ((0, below), (0, right), (0, 0)), mode="edge"
        )
    return np.packbits(blocks).tobytes() + encode_picture(column, tolerance)


def decode_residual(data, height, width):
    """Decodes what `encode_residual` wrote.

    Args:
        data: bytes.
        height, width: of the picture.

    Returns:
        A function that sets the blocks in a picture uint8 [H, W, 3].

    Raises:
        FormatError: other bytes.
    """
    shape = -(-height // BLOCK), -(-width // BLOCK)
    count = shape[0] * shape[1]
    size = -(-count // 8)
    bits = np.unpackbits(np.frombuffer(data[:size], "uint8"))
    if len(bits) < count or bits[count:].any() or not bits.any():
        raise FormatError("damaged .yoto file: a residual without blocks")
    blocks = bits[:count].reshape(shape).astype(bool)
    column = decode_picture(data[size:], BLOCK * int(blocks.sum()), BLOCK)

    def correct(image):
        for number, (rows, columns) in enumerate(_places(blocks)):
            target = image[rows, columns]
            block = column[BLOCK * number : BLOCK * (number + 1)]
            target[:] = block[: target.shape[0], : target.shape[1]]

    return correct


def _places(blocks):
    """(rows, columns), slices, of the blocks that are marked."""
    for row, column in np.argwhere(blocks).tolist():
        yield (
            slice(BLOCK * row, BLOCK * (row + 1)),
            slice(BLOCK * column, BLOCK * (column + 1)),
        )
