"""Pictures as users hold them, and as networks take them; needs no Keras."""

import numpy as np

from yoto_tf.errors import DataError

# Pixels in [0, 1] enter a network as (x − 0.5) · CONTRAST, about unit variance.
CONTRAST = 4.0


def as_picture(image):
    """The image as an array uint8 [H, W, 3].

    Raises:
        DataError: it has another type or shape.
    """
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(
            f"expected a uint8 image [height, width, 3], got {image.dtype} "
            f"{list(image.shape)}"
        )
    return image
