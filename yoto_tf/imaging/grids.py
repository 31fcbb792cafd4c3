"""Many small pictures in one, in rows and columns."""

import math

import numpy as np
from PIL import Image, ImageDraw

from yoto_tf.imaging.fonts import font

_GAP = 2
_FONT_SIZE = 14
_LEAST_LABEL_WIDTH = 84
_LABEL_MARGIN = 6


def grid(rows, labels=None, enlarged=2):
    """Puts pictures side by side.

    Args:
        rows: uint8 [R, N, H, W, C] with C = 3, or 1 for grey.
        labels: R texts to write in front of the rows; None for none.
        enlarged: how many times a pixel is repeated along each side.

    Returns:
        uint8 [height, width, 3], on white.
    """
    lines = [_line(row, enlarged) for row in np.asarray(rows)]
    if labels is not None:
        lengths = [font(_FONT_SIZE).getlength(text) for text in labels]
        width = max(_LEAST_LABEL_WIDTH, math.ceil(max(lengths)) + 2 * _LABEL_MARGIN)
        lines = [
            np.concatenate([_label(text, width, len(line)), line], axis=1)
            for text, line in zip(labels, lines, strict=True)
        ]
    picture = np.concatenate(lines)
    return np.pad(picture, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255)


def _line(row, enlarged):
    row = row.repeat(enlarged, axis=1).repeat(enlarged, axis=2)
    row = np.broadcast_to(row, (*row.shape[:3], 3))
    margin = ((0, 0), (0, _GAP), (0, _GAP), (0, 0))
    return np.concatenate(np.pad(row, margin, constant_values=255), axis=1)


def _label(text, width, height):
    strip = Image.new("RGB", (width, height), "white")
    place = (width - _LABEL_MARGIN, (height - _GAP) / 2)
    ImageDraw.Draw(strip).text(place, text, "black", font(_FONT_SIZE), anchor="rm")
    return np.asarray(strip)
