"""Where a codec, say one in training, stands beside another, by estimated bits.

    python benchmarks/codec_comparison.py FOLDER --data PHOTOGRAPHS [--against codec]

takes the middle 512×512 pixels of each of the first five photographs, made smaller by a
third, and prints rate and PSNR of both codecs over their ranges of λ, and the BD-rate
between them. Written to `results/codec_comparison.json`, or where `--out` says.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.imaging.metrics import psnr
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff.bjontegaard import bd_rate

RESULTS = Path(__file__).parent / "results" / "codec_comparison.json"
SIDE = 512
SETTINGS = 7


def crops(data, count):
    """uint8 [H, W, 3] of each photograph; sides are multiples of 64."""
    found = []
    for path in image_files(data)[:count]:
        image = Image.fromarray(read_image(path))
        size = image.width * 2 // 3, image.height * 2 // 3
        image = np.asarray(image.resize(size, Image.Resampling.LANCZOS))
        side = min(SIDE, *(length // 64 * 64 for length in image.shape[:2]))
        top, left = ((length - side) // 2 for length in image.shape[:2])
        found.append(image[top : top + side, left : left + side])
    return found


def curve(codec, images, count):
    """A dict for each of `count` λ over the codec's range."""
    [(low, high)] = codec.coefficients.ranges().values()
    return [
        {"distortion": float(value), **_mean(codec, images, value)}
        for value in np.geomspace(low, high, count)
    ]


def _mean(codec, images, value):
    rates, qualities = [], []
    for image in images:
        inputs = {
            "image": np.float32(image[None] / 255),
            "coefficients": np.float32([[value]]),
        }
        outputs = codec.model(inputs, training=False)
        found = np.clip(np.rint(255 * np.asarray(outputs["reconstruction"][0])), 0, 255)
        qualities.append(psnr(image, found.astype("uint8")))
        rates.append(float(outputs["bits"][0]) / image[..., 0].size)
    return {"bits_per_pixel": float(np.mean(rates)), "psnr": float(np.mean(qualities))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("codec", help="name or folder of the codec to compare")
    parser.add_argument("--against", default="codec", help="likewise, of the other")
    parser.add_argument("--data", required=True, help="photographs not trained on")
    parser.add_argument("--photographs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    images = crops(options.data, options.photographs)
    names = {"codec": options.codec, "other": options.against}
    curves = {
        key: curve(zoo.load(name), images, SETTINGS) for key, name in names.items()
    }
    axes = {
        name: [[p[axis] for p in points] for axis in ("bits_per_pixel", "psnr")]
        for name, points in curves.items()
    }
    rate = bd_rate(*axes["codec"], *axes["other"])
    for key, points in curves.items():
        for point in points:
            print(
                f"{names[key]}  λ {point['distortion']:.4f}  "
                f"{point['bits_per_pixel']:.3f} bits per pixel  {point['psnr']:.2f} dB"
            )
    print(f"BD-rate: {rate:+.2f} %")
    result = {"photographs": len(images), "bd_rate_percent": rate, **curves}
    write_atomically(options.out, json.dumps(result, indent=2).encode() + b"\n")


if __name__ == "__main__":
    main()
