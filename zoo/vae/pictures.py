"""Pictures of any source, brought to the one size that a network takes."""

import itertools

import numpy as np
from PIL import Image, ImageOps

from yoto_tf.data import image_files, images_from_tfds, read_image
from yoto_tf.data.sources import is_tfds
from yoto_tf.errors import printable
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.vae.shapes import factors, is_shapes, rendered


def load_pictures(spec, image_shape, limit=None):
    """Loads pictures into memory.

    Those of another shape are cropped around their middle to the same proportions, and
    resampled.

    Args:
        spec: `tfds:NAME[:SPLIT]`, `shapes:train`, `shapes:test`, a folder, a glob or a
            file.
        image_shape: (H, W, C) with C = 3, or 1 for grey.
        limit: how many at most, the first ones; None for all.

    Returns:
        uint8 [N, H, W, C], N ≥ 1.

    Raises:
        DataError: there are none, or one of them cannot be read.
    """
    if is_shapes(spec):
        found = rendered(factors(spec)[:limit])
    elif is_tfds(spec):
        found = images_from_tfds(spec)
    else:
        found = map(read_image, image_files(spec))
    found = itertools.islice(found, limit)
    found = progress_bar(found, printable(f"Loading {spec}"), unit="picture")
    return np.stack([fitted(image, image_shape) for image in found])


def fitted(image, image_shape):
    """uint8 [h, w, 3] as uint8 `image_shape`."""
    height, width, channels = image_shape
    if image.shape[:2] != (height, width):
        picture = Image.fromarray(np.ascontiguousarray(image))
        image = np.asarray(ImageOps.fit(picture, (width, height), Image.LANCZOS))
    if channels == 1:
        image = np.asarray(Image.fromarray(np.ascontiguousarray(image)).convert("L"))
        return image[..., None]
    return image
