"""Pictures as users hold them, uint8, and as servers take them, float32 in [0, 1]."""

import numpy as np

from yoto_tf.export.serving.client.transport import ServingError, check_shape


def to_float(image):
    """uint8 of any shape to float32 in [0, 1]."""
    return image.astype("float32") / np.float32(255)


def received(image, shape):
    """Pictures of a server to uint8; halves are rounded to even.

    Args:
        image: float32, about [0, 1].
        shape: what was asked for.

    Raises:
        ServingError: another shape, or values that are not finite.
    """
    check_shape("a picture", image, shape)
    if not np.isfinite(image).all():
        raise ServingError("the server answers with a picture that is not finite")
    return to_uint8(image)


def to_uint8(image):
    """Float32, about [0, 1], to uint8; halves are rounded to even."""
    return np.rint(np.clip(image * np.float32(255), 0, 255)).astype("uint8")
