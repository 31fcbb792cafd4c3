"""Paintings as training sees them."""

from pathlib import Path

import numpy as np
from PIL import Image

from yoto_tf.data import image_files, read_image
from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization.styles import name_of


def painting_files(spec):
    """{style: file} of a folder, a glob or one file, sorted by name.

    Raises:
        DataError: no pictures, or two of one name.
    """
    if not str(spec):
        raise DataError("expected a folder of paintings, such as styles=paintings")
    files = {}
    for path in sorted(image_files(spec), key=lambda path: path.stem):
        name = name_of(path)
        if name in files:
            raise DataError(f"{path} and {files[name]} are both the style {name!r}")
        files[name] = Path(path)
    return files


def read_painting(path, size):
    """A painting whose shorter side is `size` pixels, uint8 [H, W, 3].

    The size decides how large the strokes become in a stylised picture.
    """
    painting = read_image(path)
    height, width = painting.shape[:2]
    scale = size / min(height, width)
    shape = max(size, round(width * scale)), max(size, round(height * scale))
    picture = Image.fromarray(painting).resize(shape, Image.Resampling.LANCZOS)
    return np.asarray(picture)
