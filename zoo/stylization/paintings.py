"""Paintings as styles are learned from them."""

from pathlib import Path

import numpy as np
from PIL import Image

from yoto_tf.data import image_files, read_image
from yoto_tf.errors import DataError
from yoto_tf.machine.inputs import rereadable
from yoto_tf.zoo.pairing import PICTURES_TO_READ
from yoto_tf.zoo.stylization.styles import name_of, parse_style

_LONGEST = 4


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
    """A painting of a file, `scaled`."""
    return scaled(read_image(path), size)


def scaled(painting, size):
    """A painting whose shorter side is `size` pixels, uint8 [H, W, 3].

    The size decides how large the strokes become in a stylised picture. Of a frieze
    that is more than `_LONGEST` times as long as it is wide the middle counts.
    """
    height, width = painting.shape[:2]
    most = _LONGEST * min(height, width)
    top, left = max(height - most, 0) // 2, max(width - most, 0) // 2
    painting = painting[top : top + most, left : left + most]
    height, width = painting.shape[:2]
    scale = size / min(height, width)
    shape = max(size, round(width * scale)), max(size, round(height * scale))
    picture = Image.fromarray(painting).resize(shape, Image.Resampling.LANCZOS)
    return np.asarray(picture)


def paintings_in(style):
    """The files of paintings that a style or mixture names, a list.

    Args:
        style: as `Stylizer.stylize` takes it. A name with the suffix of a picture is
            its file's.

    Raises:
        StyleError: it is none.
        DataError: there is no such file.
    """
    if isinstance(style, str):
        style = [style] if _is_one_painting(style) else parse_style(style)
    files = [name for name in style if _is_painting(name)]
    for name in files:
        if not Path(name).is_file():
            raise DataError(f"no such file: {name}, expected a style or a painting")
    return files


def seen(stylizer, style):
    """A stylizer that has also the styles of the paintings that a style names.

    Args:
        stylizer: a `Stylizer`.
        style: see `paintings_in`.

    Returns:
        A `Stylizer` and the style, in which a painting has the name of its file.

    Raises:
        StyleError, DataError: see `paintings_in` and `Stylizer.predict_style`.
    """
    files = paintings_in(style)
    if not files:
        return stylizer, style
    names = {}
    for file in files:
        vector = stylizer.predict_style(read_image(rereadable(file)))
        name = names[file] = Path(file).name
        if name not in stylizer.styles:
            stylizer = stylizer.with_style(name, vector)
        elif not np.array_equal(vector, stylizer.style_vector(name)):
            raise DataError(
                f"{file} and another painting are both called {name}: rename one"
            )
    if isinstance(style, str):
        style = {style: 1.0} if files == [style] else parse_style(style)
    shares = {}
    for name, share in style.items():
        name = names.get(name, name)
        shares[name] = shares.get(name, 0.0) + share
    return stylizer, shares


def _is_one_painting(text):
    # A mixture may end in the name of a file.
    return _is_painting(text) and ("," not in text or Path(text).is_file())


def _is_painting(name):
    return Path(name).suffix.lower() in PICTURES_TO_READ.suffixes
