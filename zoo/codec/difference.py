"""How much two pictures differ, compressed or not."""

import dataclasses
import math
import os

import numpy as np

from yoto_tf.data.images import read_image, write_image
from yoto_tf.errors import DataError
from yoto_tf.imaging.metrics import bits_per_pixel, ms_ssim, psnr
from yoto_tf.machine.inputs import rereadable
from yoto_tf.machine.outputs import check_output
from yoto_tf.zoo.codec.coding.container import MAGIC
from yoto_tf.zoo.codec.compressed_file import CompressedFile
from yoto_tf.zoo.codec.decoder import Decoder
from yoto_tf.zoo.pairing import PICTURES


@dataclasses.dataclass(frozen=True)
class Difference:
    """What `difference` finds.

    Attributes:
        files: the two names.
        width, height: of both pictures.
        bytes: of the two files.
        bits_per_pixel: likewise.
        psnr: in dB; None for the very same pixels.
        ms_ssim: at most 1; None where a side has fewer than 161 pixels.
        greatest: the greatest difference of a sample, 0 to 255.
        output: the picture of the differences, or None.
        gain: by what the differences in that picture are multiplied, or None.
    """

    files: tuple[str, str]
    width: int
    height: int
    bytes: tuple[int, int]
    bits_per_pixel: tuple[float, float]
    psnr: float | None
    ms_ssim: float | None
    greatest: int
    output: str | None = None
    gain: int | None = None


def is_compressed(path):
    """Whether a file that can be read begins as a `.yoto` file does."""
    try:
        with open(path, "rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def difference(first, second, output=None, model=None):
    """Compares two pictures of one size.

    Args:
        first, second: picture or `.yoto` files.
        output: a picture file to write: how much each sample differs, black where it
            does not, multiplied by a whole number that makes the greatest difference as
            bright as can be; or None.
        model: what decodes `.yoto` files, see `Decoder`.

    Returns:
        A `Difference`.

    Raises:
        DataError, FormatError: a file cannot be read, decoded or written, or the
            pictures differ in size.
    """
    paths = [rereadable(path) for path in (first, second)]
    if output is not None:
        check_output(output, PICTURES.suffixes, PICTURES.expected, paths)
    decoder = Decoder(model)
    a, b = (_read(path, decoder) for path in paths)
    if a.shape != b.shape:
        sizes = [f"{image.shape[1]} × {image.shape[0]}" for image in (a, b)]
        raise DataError(
            f"{first} has {sizes[0]} pixels, {second} has {sizes[1]}: expected two "
            "pictures of one size"
        )
    height, width = a.shape[:2]
    reached = psnr(a, b)
    try:
        similarity = ms_ssim(a, b)
    except DataError:
        similarity = None
    distance = np.abs(a.astype(np.int16) - b)
    greatest = int(distance.max())
    gain = None
    if output is not None:
        gain = 255 // max(greatest, 1)
        write_image(output, (distance * gain).astype(np.uint8))
    sizes = tuple(os.path.getsize(path) for path in paths)
    return Difference(
        files=(str(first), str(second)),
        width=width,
        height=height,
        bytes=sizes,
        bits_per_pixel=tuple(bits_per_pixel(size, height, width) for size in sizes),
        psnr=None if reached == math.inf else reached,
        ms_ssim=similarity,
        greatest=greatest,
        output=None if output is None else str(output),
        gain=gain,
    )


def _read(path, decoder):
    if is_compressed(path):
        return decoder.decode(CompressedFile.read(path))[0]
    return read_image(path)
