"""Pictures as strangers upload them: any file, any size."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from yoto_tf.data import read_image
from yoto_tf.errors import DataError

# What two processor cores code in about a second.
PIXELS = 2**20
# More than this is not decoded at all: it would take the memory of many users.
LARGEST = 64 * 10**6


def read_upload(path, pixels=PIXELS):
    """Reads an uploaded file, scaled down where it is larger than the demo works on.

    Args:
        path: the file; its last part is what the user called it.
        pixels: the largest height × width.

    Returns:
        uint8 [H, W, 3], and a sentence about the scaling, empty where there was none.

    Raises:
        DataError: not a picture, a damaged one, one of more than 64 megapixels, or one
            that has been deleted since; the message names the file without its folder.
    """
    name = Path(path).name
    if not Path(path).exists():
        raise DataError(f"{name} has been deleted in the meantime: upload it again")
    _check_header(path, name)
    try:
        image = read_image(path)
    except DataError as error:
        raise DataError(str(error).replace(str(path), name)) from error
    return scaled_down(image, pixels)


def scaled_down(image, pixels=PIXELS):
    """A picture in the same proportions with at most so many pixels; see `read_upload`.

    Args:
        image: uint8 [H, W, 3].
        pixels: the largest height × width, ≥ 1.
    """
    height, width = image.shape[:2]
    if height * width <= pixels:
        return image, ""
    factor = math.sqrt(pixels / (height * width))
    # A very long picture would lose its short side altogether.
    new_width = min(max(int(width * factor), 1), pixels)
    new_height = min(max(int(height * factor), 1), pixels // new_width)
    picture = Image.fromarray(image).resize((new_width, new_height), Image.LANCZOS)
    note = (
        f"Scaled down from {width} × {height} to {new_width} × {new_height} pixels: "
        f"this page works on at most {pixels / 1e6:.2g} million pixels."
    )
    return np.asarray(picture), note


def _check_header(path, name):
    """Refuses too large a picture before it is decoded."""
    try:
        with Image.open(path) as picture:
            width, height = picture.size
    except Image.DecompressionBombError:
        pass
    except Exception:
        # `read_image` says what is the matter with the file.
        return
    else:
        if width * height <= LARGEST:
            return
    raise DataError(
        f"{name} has more than {LARGEST / 1e6:g} megapixels, expected a smaller picture"
    )
