"""Small pictures unlike photographs, which a learned transform may get wrong."""

import functools

import numpy as np
from PIL import Image, ImageDraw

from yoto_tf.imaging.fonts import font

SIDE = 128
_ROW, _COLUMN = np.mgrid[:SIDE, :SIDE]
_TEXT = """It was the best of times,
it was the worst of times,
it was the age of wisdom,
it was the age of folly
0123456789 +-*/=()[]{}"""


def _grey(plane):
    return np.repeat(np.asarray(plane, "uint8")[..., None], 3, axis=-1)


def _stripes(width):
    return _grey(_COLUMN // width % 2 * 255)


def _checkers(side):
    return _grey((_ROW // side + _COLUMN // side) % 2 * 255)


def _blocks():
    """Blocks of 8 pixels, each of a colour of its own."""
    colours = np.random.default_rng(1).integers(0, 256, (16, 16, 3), "uint8")
    return colours.repeat(8, axis=0).repeat(8, axis=1)


def _text():
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(2 * _TEXT.splitlines()):
        draw.text((2, 12 * line), text, font=font(9), fill=(0, 0, 60 * (line % 3)))
    return np.asarray(image)


def _matrix_code():
    """Modules of 3 pixels with three finder patterns, as a QR code has."""
    modules = np.random.default_rng(2).integers(0, 2, (43, 43))
    finder = np.pad(np.pad(np.ones((3, 3), int), 1), 1, constant_values=1)
    modules[:7, :7] = modules[:7, -7:] = modules[-7:, :7] = finder
    pixels = (1 - modules).repeat(3, axis=0).repeat(3, axis=1)[:SIDE, :SIDE]
    return _grey(255 * pixels)


def _dither():
    """A ramp in two greys, ordered by Bayer's 4×4 matrix."""
    matrix = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]
    thresholds = np.tile(np.array(matrix) * 8 + 4, (SIDE // 4, SIDE // 4))
    return _grey((thresholds < _COLUMN) * 255)


def _noise():
    return np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), "uint8")


def _grey_noise():
    noise = np.random.default_rng(4).normal(128, 40, (SIDE, SIDE))
    return _grey(noise.clip(0, 255))


def _saturated():
    """Discs of pure colours upon another."""
    image = Image.new("RGB", (SIDE, SIDE), (0, 0, 255))
    draw = ImageDraw.Draw(image)
    for place, colour in enumerate(("red", "lime", "yellow", "magenta", "cyan")):
        draw.ellipse((20 * place, 15 * place, 20 * place + 45, 15 * place + 45), colour)
    return np.asarray(image)


def _half_text():
    """Text beside a smooth ramp: only a part is awkward."""
    image = _text().copy()
    image[:, : SIDE // 2] = (_ROW + _COLUMN)[:, : SIDE // 2, None] // 2 + [0, 30, 60]
    return image


PICTURES = {
    "stripes of 1 pixel": functools.partial(_stripes, 1),
    "stripes of 2 pixels": functools.partial(_stripes, 2),
    "rows of 1 pixel": lambda: np.swapaxes(_stripes(1), 0, 1),
    "checkers of 1 pixel": functools.partial(_checkers, 1),
    "checkers of 2 pixels": functools.partial(_checkers, 2),
    "blocks": _blocks,
    "text": _text,
    "matrix code": _matrix_code,
    "dither": _dither,
    "noise": _noise,
    "grey noise": _grey_noise,
    "flat": lambda: np.full((SIDE, SIDE, 3), (12, 200, 99), "uint8"),
    "saturated": _saturated,
    "half text": _half_text,
    "one pixel": lambda: np.full((1, 1, 3), (255, 0, 255), "uint8"),
}
