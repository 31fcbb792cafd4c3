"""What effort at the encoder brings, and what it costs.

    python benchmarks/codec_effort.py --data KODAK_FOLDER [--model codec]

compresses pictures at levels of effort, decodes the files, and prints, for each level
and λ, the seconds of one encode and how much smaller the file is at equal PSNR, as the
mean over the pictures: the file without effort at this PSNR is interpolated between
encodes at nine λ. Writes `results/codec_effort_MODEL.json`.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

import yoto_tf
from yoto_tf.data import image_files, read_image
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec.coding.refinement import STEPS

RESULTS = Path(__file__).parent / "results"
# λ of the encodes without effort: more than are needed, to interpolate between.
ANCHORS = 9


def encoded(codec, image, **how):
    """Bytes, PSNR and seconds of an encode."""
    began = time.perf_counter()
    data = codec.compress(image, **how)
    seconds = time.perf_counter() - began
    return {
        "bytes": len(data),
        "psnr": psnr(image, codec.decompress(data)),
        "seconds": seconds,
    }


def saved(point, anchors):
    """By how many percent an encode is larger than those without effort, at its PSNR.

    Where its PSNR is above all of theirs, the last two are extrapolated.
    """
    qualities = np.array([anchor["psnr"] for anchor in anchors])
    rates = np.log([anchor["bytes"] for anchor in anchors])
    above = int(np.clip(np.searchsorted(qualities, point["psnr"]), 1, len(rates) - 1))
    slope = np.diff(rates)[above - 1] / np.diff(qualities)[above - 1]
    rate = rates[above - 1] + slope * (point["psnr"] - qualities[above - 1])
    return float(100 * np.expm1(np.log(point["bytes"]) - rate))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a folder or glob of pictures")
    parser.add_argument("--pictures", type=int, default=6, help="how many of them")
    parser.add_argument("--model", default="codec")
    parser.add_argument("--levels", type=int, nargs="+", default=[2, 6, 8])
    parser.add_argument("--settings", type=float, nargs="+", default=[0.1, 0.5, 0.9])
    options = parser.parse_args()
    codec = yoto_tf.zoo.load(options.model)
    files = image_files(options.data)
    files = files[:: max(1, len(files) // options.pictures)][: options.pictures]
    images = [read_image(file) for file in files]
    anchors = [
        [encoded(codec, image, quality=q) for q in np.linspace(0, 1, ANCHORS)]
        for image in images
    ]
    rows = []
    for level in options.levels:
        # The first encode at a level compiles.
        encoded(codec, images[0], quality=0.5, effort=1)
        for quality in options.settings:
            points = [
                encoded(codec, image, quality=quality, effort=level) for image in images
            ]
            plain = [encoded(codec, image, quality=quality) for image in images]
            row = {
                "effort": level,
                "steps": STEPS[level],
                "quality": quality,
                "rate_percent": float(np.mean(list(map(saved, points, anchors)))),
                "psnr_gain": float(
                    np.mean(
                        [
                            p["psnr"] - q["psnr"]
                            for p, q in zip(points, plain, strict=True)
                        ]
                    )
                ),
                "seconds": float(np.median([point["seconds"] for point in points])),
            }
            rows.append(row)
            print(
                f"effort {level} ({STEPS[level]:4} steps), quality {quality}: "
                f"{row['rate_percent']:+6.2f} % of the bytes at equal PSNR, "
                f"{row['seconds']:6.1f} s",
                flush=True,
            )
    results = {
        "model": Path(options.model).name,
        "pictures": [Path(file).name for file in files],
        "rows": rows,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"codec_effort_{results['model']}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
