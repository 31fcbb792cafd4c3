"""Rate and distortion of JPEG, WebP, AVIF and JPEG XL on a set of pictures.

    pip install pillow-jxl-plugin
    python benchmarks/picture_formats.py --data KODAK_FOLDER [--name kodak]

Encodes and decodes every picture at each quality through Pillow, measures bits from
the sizes of the files and PSNR and MS-SSIM from the decoded 8-bit pictures, prints the
means and writes `results/formats_NAME.json`, of which `kodak.py` draws the curves and
takes the BD-rates. AVIF is libaom's at Pillow's default speed, with and without
subsampled colour; the rest is as Pillow writes it.
"""

import argparse
import io
import json
from importlib import metadata
from pathlib import Path

import numpy as np
import PIL
import pillow_jxl  # noqa: F401, registers JPEG XL with Pillow
from PIL import Image, features
from tqdm import tqdm

from yoto_tf.data import image_files, read_image
from yoto_tf.imaging.metrics import bits_per_pixel, ms_ssim, psnr

RESULTS = Path(__file__).parent / "results"
# Each format's settings, worst quality first; the ends lie beyond those of the codec.
FORMATS = {
    "JPEG 4:2:0": [
        {"format": "JPEG", "subsampling": "4:2:0", "optimize": True, "quality": quality}
        for quality in (3, 8, 15, 25, 40, 55, 70, 80, 88, 94)
    ],
    "JPEG 4:4:4": [
        {"format": "JPEG", "subsampling": "4:4:4", "optimize": True, "quality": quality}
        for quality in (3, 8, 15, 25, 40, 55, 70, 80, 88, 94, 97, 99)
    ],
    "WebP": [
        {"format": "WEBP", "quality": quality}
        for quality in (0, 5, 15, 30, 50, 70, 80, 88, 94, 98)
    ],
    "AVIF 4:2:0": [
        {"format": "AVIF", "subsampling": "4:2:0", "quality": quality}
        for quality in (15, 25, 35, 45, 55, 65, 75, 85, 92, 97)
    ],
    "AVIF 4:4:4": [
        {"format": "AVIF", "subsampling": "4:4:4", "quality": quality}
        for quality in (15, 25, 35, 45, 55, 65, 75, 85, 92, 97)
    ],
    "JPEG XL": [
        {"format": "JXL", "quality": quality}
        for quality in (5, 15, 30, 45, 60, 75, 85, 92, 96, 98)
    ],
}


def point(image, options):
    """Rate and quality of a picture written with Pillow's options."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, **options)
    decoded = np.asarray(Image.open(io.BytesIO(file.getvalue())).convert("RGB"))
    return {
        "bits_per_pixel": bits_per_pixel(len(file.getvalue()), *image.shape[:2]),
        "psnr": psnr(image, decoded),
        "ms_ssim": ms_ssim(image, decoded),
    }


def measure(images):
    """{format: a list of points, each the mean over the pictures at one setting}."""
    means = {}
    for name, settings in FORMATS.items():
        means[name] = []
        for options in tqdm(settings, desc=name, disable=None):
            points = [point(image, options) for image in images]
            mean = {key: float(np.mean([p[key] for p in points])) for key in points[0]}
            means[name].append({"quality": options["quality"], **mean})
    return means


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="a folder or glob of pictures")
    parser.add_argument("--name", default="kodak", help="of the set, in the results")
    options = parser.parse_args()
    files = image_files(options.data)
    formats = measure([read_image(file) for file in files])
    for name, points in formats.items():
        print(name)
        for row in points:
            print(
                f"  quality {row['quality']:3}  {row['bits_per_pixel']:7.4f} bits/pixel"
                f"  {row['psnr']:6.2f} dB  MS-SSIM {row['ms_ssim']:.4f}"
            )
    results = {
        "data": options.name,
        "pictures": len(files),
        "pillow": PIL.__version__,
        "libavif": features.version("avif"),
        "pillow-jxl-plugin": metadata.version("pillow-jxl-plugin"),
        "formats": formats,
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"formats_{options.name}.json"
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
