"""JPEG, WebP and AVIF at a number of bytes, for comparison."""

import dataclasses
import io

import numpy as np
from PIL import Image


@dataclasses.dataclass(frozen=True)
class Format:
    """How pictures are written in a format.

    Attributes:
        qualities: those worth trying, from the smallest file to the largest.
        options: of Pillow's `save`.
    """

    qualities: range
    options: dict


FORMATS = {
    # Pillow's qualities above 95 only make the file larger.
    "JPEG": Format(range(1, 96), {"subsampling": "4:2:0", "optimize": True}),
    "WebP": Format(range(101), {}),
    # At libaom's usual speed, 6, each move of the slider would take seconds.
    "AVIF": Format(range(101), {"speed": 8}),
}


def file_of_size(image, size, name):
    """The best file of a format with at most so many bytes.

    Args:
        image: uint8 [H, W, 3].
        size: bytes of the whole file.
        name: of one of `FORMATS`.

    Returns:
        bytes, the file; where even the lowest quality is larger, that.
    """
    qualities = FORMATS[name].qualities
    low, high = 0, len(qualities) - 1
    best = _encode(image, name, qualities[low])
    while low < high:
        middle = (low + high + 1) // 2
        data = _encode(image, name, qualities[middle])
        if len(data) <= size:
            low, best = middle, data
        else:
            high = middle - 1
    return best


def decode(data):
    """A file's content to uint8 [H, W, 3]."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def _encode(image, name, quality):
    file = io.BytesIO()
    options = FORMATS[name].options
    Image.fromarray(image).save(file, name, quality=quality, **options)
    return file.getvalue()
