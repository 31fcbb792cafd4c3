"""The one font that texts in pictures are drawn with."""

import functools
from pathlib import Path

from PIL import ImageFont


@functools.cache
def font(size):
    """DejaVu Sans, which comes with matplotlib, as Pillow draws it.

    Args:
        size: in pixels.
    """
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), size)
