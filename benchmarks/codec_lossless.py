"""Bits per pixel of lossless `.yoto` files beside those of other formats.

    pip install pillow-jxl-plugin
    python benchmarks/codec_lossless.py --data KODAK_FOLDER

Encodes and decodes every picture, checks that it comes back pixel for pixel, prints the
mean bits per pixel and seconds of processor time, and writes
`results/codec_lossless.json`. The others are what Pillow writes: PNG with `optimize`,
WebP lossless and JPEG XL with their default effort.
"""

import argparse
import io
import json
import time
from pathlib import Path

import numpy as np
import pillow_jxl  # noqa: F401, registers JPEG XL with Pillow
from PIL import Image

from yoto_tf.data import image_files, read_image
from yoto_tf.imaging.metrics import bits_per_pixel
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.lossless.picture import decode_picture
from yoto_tf.zoo.codec.second_layer.choice import exact

RESULTS = Path(__file__).parent / "results" / "codec_lossless.json"
PILLOW = {
    "PNG": {"format": "PNG", "optimize": True},
    "WebP": {"format": "WEBP", "lossless": True},
    "JPEG XL": {"format": "JXL", "lossless": True},
}


def write_yoto(image):
    return exact(image).to_bytes()


def read_yoto(data):
    container = Container.from_bytes(data)
    return decode_picture(container.lossless, container.height, container.width)


def write_with_pillow(options):
    def write(image):
        file = io.BytesIO()
        Image.fromarray(image).save(file, **options)
        return file.getvalue()

    return write


def read_with_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def timed(function, argument):
    """What a function returns, and the seconds of processor time it takes."""
    began = time.process_time()
    result = function(argument)
    return result, time.process_time() - began


def measure(image):
    """{format: {"bits_per_pixel", "encode", "decode"}} of a picture."""
    formats = {"yoto": (write_yoto, read_yoto)}
    for name, options in PILLOW.items():
        formats[name] = write_with_pillow(options), read_with_pillow
    measured = {}
    for name, (write, read) in formats.items():
        data, encode = timed(write, image)
        decoded, decode = timed(read, data)
        if not np.array_equal(decoded, image):
            raise SystemExit(f"{name} does not give the picture back")
        rate = bits_per_pixel(len(data), *image.shape[:2])
        measured[name] = {"bits_per_pixel": rate, "encode": encode, "decode": decode}
    return measured


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a folder or glob of pictures")
    options = parser.parse_args()
    images = {
        Path(path).name: measure(read_image(path)) for path in image_files(options.data)
    }
    mean = {
        name: {
            key: float(np.mean([measured[name][key] for measured in images.values()]))
            for key in ("bits_per_pixel", "encode", "decode")
        }
        for name in ("yoto", *PILLOW)
    }
    print(f"{len(images)} pictures    bits per pixel    encode, decode in seconds")
    for name, row in mean.items():
        rate = row["bits_per_pixel"]
        print(f"{name:8} {rate:24.3f} {row['encode']:17.2f} {row['decode']:7.2f}")
    RESULTS.write_text(json.dumps({"mean": mean, "images": images}, indent=1) + "\n")


if __name__ == "__main__":
    main()
