"""One dial in place of five, and a style in a part of a picture."""

import numpy as np

from yoto_tf.data import read_image
from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.machine.inputs import rereadable
from yoto_tf.zoo.stylization.color import LUMA

STRONGEST = 2.0


def coefficients_at(strength, coefficients):
    """All coefficients at one strength.

    Args:
        strength: 0 … 2. At 1 each coefficient takes the middle of its range, at 2 the
            styles have the end where they weigh most and the content that where it
            weighs least, at 0 the other ends.
        coefficients: `yoto_tf.Coefficients`, of which `content` weighs the photograph.

    Returns:
        {name: value}.

    Raises:
        CoefficientError: a strength out of range.
    """
    if not 0 <= strength <= STRONGEST:
        raise CoefficientError(
            f"strength = {strength:g} is outside its range 0 to {STRONGEST:g}"
        )
    place = strength / STRONGEST
    return {
        name: float(distribution.quantile(1 - place if name == "content" else place))
        for name, distribution in coefficients.independent.items()
    }


def photograph_at(strength):
    """The share of the photograph itself: 1 at strength 0, and none from 0.5 on."""
    return max(0.0, 1 - 2 * strength)


def blended(background, foreground, share):
    """Mixes two pictures.

    Args:
        background, foreground: uint8 [H, W, 3].
        share: of the foreground, 0 … 1: a number, or [H, W].

    Returns:
        uint8 [H, W, 3].
    """
    share = np.asarray(share, "float32")[..., None]
    mixture = (1 - share) * background + share * foreground
    return np.rint(mixture).astype("uint8")


def checked_mask(mask, image):
    """A mask as the share of each pixel, float32 [H, W].

    Args:
        mask: uint8 [H, W], or [H, W, 3] whose brightness counts; white is inside.
        image: the picture, [H, W, 3].

    Raises:
        DataError: it is no such mask, or of another size than the picture.
    """
    mask = np.asarray(mask)
    is_grey = mask.ndim == 2
    is_picture = is_grey or mask.shape[2:] == (3,)
    if not is_picture:
        raise DataError(
            "expected a mask [height, width] or [height, width, 3], got "
            f"{list(mask.shape)}"
        )
    if mask.dtype != np.uint8 or mask.shape[:2] != image.shape[:2]:
        sides = "x".join(map(str, mask.shape[1::-1]))
        raise DataError(
            f"expected a mask of the picture's size, {image.shape[1]}x"
            f"{image.shape[0]} pixels of 8 bits, got {sides} of {mask.dtype}"
        )
    if not is_grey:
        mask = mask @ LUMA
    return np.float32(mask) / 255


def read_mask(path):
    """The mask in a picture file, uint8 [H, W, 3].

    Raises:
        DataError: it cannot be read.
    """
    return read_image(rereadable(path))
