"""How large the strokes of a picture are; needs no Keras.

The network's strokes have a size in pixels. Larger ones come of painting the picture
smaller, see `yoto_tf.zoo.stylization.guided_upsampling`.
"""

import math

from yoto_tf.errors import CoefficientError

AUTO = "auto"
# The shorter side, in pixels, up to which `AUTO` leaves strokes as they are.
LARGEST_SIDE = 768


def as_stroke(stroke):
    """A stroke as the user gives it, checked.

    Args:
        stroke: `AUTO`, or a number of at least 1, which may be a text.

    Returns:
        `AUTO` or a float.

    Raises:
        CoefficientError: it is neither.
    """
    if isinstance(stroke, str) and stroke == AUTO:
        return AUTO
    try:
        factor = float(stroke)
    except (TypeError, ValueError, OverflowError):
        factor = math.nan
    if not 1 <= factor < math.inf:
        raise CoefficientError(
            f"expected a stroke of 1 or more or {AUTO}, got {stroke}"
        )
    return factor


def stroke_in(stroke, height, width):
    """How many times as large strokes are as the network paints them.

    Args:
        stroke: see `as_stroke`. `AUTO` makes them grow with the picture once its
            shorter side exceeds 768 pixels: a larger picture looks like itself at that
            size.
        height, width: of the picture.

    Returns:
        A float of at least 1.

    Raises:
        CoefficientError: see `as_stroke`.
    """
    stroke = as_stroke(stroke)
    if stroke == AUTO:
        return max(1.0, min(height, width) / LARGEST_SIDE)
    return stroke


def size_to_paint(stroke, height, width):
    """Height and width of the picture that the network paints; see `stroke_in`."""
    factor = stroke_in(stroke, height, width)
    return round(height / factor), round(width / factor)
