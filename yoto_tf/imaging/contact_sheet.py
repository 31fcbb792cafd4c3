"""Many pictures on one sheet, each with its caption below."""

import math

import numpy as np
from PIL import Image, ImageDraw

from yoto_tf.imaging.fonts import font

# Pixels.
CELL = 384
_MARGIN = 12
_GAP = 3
_TEXT = 14
_LINE = round(1.3 * _TEXT)
_MOST_LINES = 3


def contact_sheet(pictures, captions, columns=None):
    """Puts pictures in rows.

    Args:
        pictures: iterable of uint8 [H, W, 3]. Their longer side is at most 384 pixels
            on the sheet: larger ones are reduced, and the pixels of small ones are
            repeated as often as there is room.
        captions: a text for each picture. Lines are broken after commas; three are
            shown.
        columns: how many pictures are in a row; None for about as many as there are
            rows.

    Returns:
        uint8 [height, width, 3].
    """
    pictures = [_fitted(picture) for picture in pictures]
    if columns is None:
        columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    widest = max(picture.width for picture in pictures)
    highest = max(picture.height for picture in pictures)
    # A narrow picture still needs room for the words.
    room = max(widest, CELL * 2 // 3)
    texts = [_wrapped(caption, room)[:_MOST_LINES] for caption in captions]
    width = room + _MARGIN
    height = highest + _GAP + _LINE * max(map(len, texts)) + _MARGIN
    size = (columns * width + _MARGIN, rows * height + _MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, lines) in enumerate(zip(pictures, texts, strict=True)):
        left = _MARGIN + number % columns * width
        top = _MARGIN + number // columns * height
        # A white one would have no edges.
        frame = (left - 1, top - 1, left + picture.width, top + picture.height)
        draw.rectangle(frame, outline="lightgray")
        sheet.paste(picture, (left, top))
        for line, text in enumerate(lines):
            y = top + highest + _GAP + line * _LINE
            draw.text((left, y), text, fill="black", font=font(_TEXT))
    return np.asarray(sheet)


def _fitted(picture):
    picture = Image.fromarray(picture)
    longest = max(picture.size)
    if longest <= CELL:
        times = CELL // longest
        size = [times * side for side in picture.size]
        return picture.resize(size, Image.Resampling.NEAREST)
    size = [max(1, round(side * CELL / longest)) for side in picture.size]
    return picture.resize(size, Image.Resampling.LANCZOS)


def _wrapped(text, width):
    """Lines not wider than `width` pixels, broken after commas."""
    first, *parts = text.split(", ")
    lines = [first]
    for part in parts:
        longer = f"{lines[-1]}, {part}"
        if font(_TEXT).getlength(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines
