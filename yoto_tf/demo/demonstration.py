"""The demonstration: a real photograph at five trade-offs with one network."""

import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from yoto_tf import zoo
from yoto_tf.data import photograph, write_image
from yoto_tf.imaging.fonts import font
from yoto_tf.imaging.metrics import bits_per_pixel, psnr
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.machine.outputs import check_output

SETTINGS = 5
PICTURE = "comparison.png"
# Top, left, height and width of Grace Hopper's face, ribbons and name plate.
_REGIONS = ((150, 185, 160, 160), (475, 308, 60, 160), (470, 48, 60, 160))
_ENLARGED = 2
_GAP = 8


def demonstrate(directory, model="codec", settings=SETTINGS, clobber=True):
    """Compresses a photograph at several trade-offs, decodes the files, compares.

    Writes a `.yoto` file for every setting, and `comparison.png`: details of the
    original and of each decoded picture side by side, enlarged, with rate and PSNR.

    Args:
        directory: the folder to write into, made if need be.
        model: a pretrained codec's name, or the directory of a release.
        settings: how many, evenly spaced in the logarithm of the coefficient.
        clobber: whether files of these names are replaced.

    Returns:
        A list of dicts, one a setting: the coefficient by its name, "file", "bytes",
        "bits_per_pixel" (both of the real file), "psnr" in dB, "encode_seconds" and
        "decode_seconds", without what the first call takes to compile the network.

    Raises:
        DataError: the photograph is missing or a file cannot be written.
        RecipeError: no such model.
    """
    directory = Path(directory)

    def left(path):
        return not clobber and path.is_file()

    image = photograph()
    codec = zoo.load(model)
    directory.mkdir(parents=True, exist_ok=True)
    dial = codec.settings(settings)
    paths = [
        directory / f"{name}-{value:.4f}.yoto"
        for setting in dial
        for name, value in setting.items()
    ]
    for path in (*paths, directory / PICTURE):
        check_output(path, (path.suffix,), f"the suffix {path.suffix}")
    codec.decompress(codec.compress(image))
    rows, decoded = [], []
    for setting, path in zip(dial, paths, strict=True):
        started = time.perf_counter()
        data = codec.compress(image, **setting)
        if not left(path):
            write_atomically(path, data)
        written = time.perf_counter()
        decoded.append(codec.decompress(data))
        finished = time.perf_counter()
        rows.append(
            {
                **setting,
                "file": str(path),
                "bytes": len(data),
                "bits_per_pixel": bits_per_pixel(len(data), *image.shape[:2]),
                "psnr": psnr(image, decoded[-1]),
                "encode_seconds": round(written - started, 3),
                "decode_seconds": round(finished - written, 3),
            }
        )
    captions = [("original", f"{image.shape[1]} × {image.shape[0]} pixels")]
    captions += [
        (f"{row['bits_per_pixel']:.2f} bits per pixel", f"{row['psnr']:.1f} dB")
        for row in rows
    ]
    if not left(directory / PICTURE):
        write_image(directory / PICTURE, _side_by_side([image, *decoded], captions))
    return rows


def _side_by_side(images, captions):
    """A column for each picture: its regions, enlarged, and two lines of text."""
    columns = [
        _column([image[y : y + h, x : x + w] for y, x, h, w in _REGIONS], lines)
        for image, lines in zip(images, captions, strict=True)
    ]
    gap = np.full((columns[0].shape[0], _GAP, 3), 255, "uint8")
    parts = [part for column in columns for part in (column, gap)]
    return np.concatenate(parts[:-1], axis=1)


def _column(regions, lines):
    parts = []
    for region in regions:
        enlarged = region.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1)
        parts += [enlarged, np.full((_GAP, enlarged.shape[1], 3), 255, "uint8")]
    return np.concatenate([*parts, _text(lines, parts[0].shape[1])])


def _text(lines, width):
    strip = Image.new("RGB", (width, 30 * len(lines) + _GAP), "white")
    draw = ImageDraw.Draw(strip)
    for number, line in enumerate(lines):
        draw.text((width / 2, 30 * number), line, "black", font(22), anchor="ma")
    return np.asarray(strip)
