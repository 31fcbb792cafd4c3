"""Many settings of one photograph on one sheet, each with its numbers below."""

import math
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Pixels.
CELL = 384
_MARGIN = 12
_TEXT = 14
_LINES = 3


def contact_sheet(pictures, captions):
    """Pictures in rows, as many as columns or one fewer.

    Args:
        pictures: iterable of uint8 [H, W, 3], reduced to a longer side of 384 pixels.
        captions: as many texts, with commas where a line may end; three lines of one
            are shown.

    Returns:
        uint8 [height, width, 3].
    """
    pictures = [_reduced(picture) for picture in pictures]
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    widest = max(picture.width for picture in pictures)
    highest = max(picture.height for picture in pictures)
    # A narrow picture still needs room for the words.
    width = max(widest, CELL * 2 // 3) + _MARGIN
    height = highest + _MARGIN + round(_LINES * _TEXT * 1.3)
    size = (columns * width + _MARGIN, rows * height + _MARGIN)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(str(fonts / "DejaVuSans.ttf"), _TEXT)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = _MARGIN + number % columns * width
        top = _MARGIN + number // columns * height
        sheet.paste(picture, (left, top))
        lines = _wrapped(caption, font, width - _MARGIN)
        for line, text in enumerate(lines[:_LINES]):
            y = top + highest + round(line * _TEXT * 1.3)
            draw.text((left, y), text, fill="black", font=font)
    return np.asarray(sheet)


def _reduced(picture):
    picture = Image.fromarray(picture)
    scale = min(1.0, CELL / max(picture.size))
    size = [max(1, round(side * scale)) for side in picture.size]
    return picture.resize(size, Image.Resampling.LANCZOS)


def _wrapped(text, font, width):
    """Lines not wider than `width` pixels, broken after commas."""
    first, *parts = text.split(", ")
    lines = [first]
    for part in parts:
        longer = f"{lines[-1]}, {part}"
        if font.getlength(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines
