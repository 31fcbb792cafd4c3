"""JPEG at the same number of bytes, for comparison."""

import io

import numpy as np
from PIL import Image

# Pillow's qualities above 95 only make the file larger.
QUALITIES = range(1, 96)


def jpeg_of_size(image, size):
    """The best JPEG (4:2:0, optimised Huffman tables) of at most so many bytes.

    Args:
        image: uint8 [H, W, 3].
        size: bytes of the whole file.

    Returns:
        bytes, the file; where even the lowest quality is larger, that.
    """
    low, high = QUALITIES[0], QUALITIES[-1]
    best = _encode(image, low)
    while low < high:
        middle = (low + high + 1) // 2
        data = _encode(image, middle)
        if len(data) <= size:
            low, best = middle, data
        else:
            high = middle - 1
    return best


def decode(data):
    """A JPEG file's content to uint8 [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _encode(image, quality):
    file = io.BytesIO()
    Image.fromarray(image).save(
        file, "JPEG", quality=quality, subsampling="4:2:0", optimize=True
    )
    return file.getvalue()
