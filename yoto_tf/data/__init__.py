"""Pictures and data sets in, batches out; none of it needs TensorFlow but TFDS."""

from yoto_tf.data.example_photograph import photograph
from yoto_tf.data.examples import Examples
from yoto_tf.data.images import image_files, read_image, write_image
from yoto_tf.data.patches import Patches
from yoto_tf.data.photographs import Photographs
from yoto_tf.data.sources import images_from_tfds, load_arrays

__all__ = [
    "Examples",
    "Patches",
    "Photographs",
    "image_files",
    "images_from_tfds",
    "load_arrays",
    "photograph",
    "read_image",
    "write_image",
]
