"""Is there a weave of every fourth pixel in what the stylizer paints?

    python benchmarks/weave.py [--data PHOTOGRAPH] [--against MODEL]

Two of its stages double height and width, and what doubling leaves of its grid a style
may paint as threads, four pixels apart. Measured is the power of the picture's rows or
columns, the larger of the two, at a period of four pixels over that at the periods
around: 1 where nothing stands out, as in photographs. For every style at three settings
it prints that ratio and writes it to `results/stylization_weave.json`; `--against`
names a model to compare with, the release before.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from stylization_dials import SETTINGS

from yoto_tf import zoo
from yoto_tf.data import photograph, read_image
from yoto_tf.errors import DataError

RESULTS = Path(__file__).parent / "results" / "stylization_weave.json"
SIDE = 512
PERIOD = 4
# In frequencies of the spectrum, of which there are SIDE: how far to each side what
# belongs to the period goes, and where its neighbours begin and end.
PEAK, NEAREST, FARTHEST = 1, 4, 12


def weave(picture):
    """Power at a period of four pixels over that around it, of [512, 512, 3]."""
    grey = picture.mean(axis=-1, dtype="float64")
    fade = np.hanning(SIDE)
    spectrum = np.fft.fft2((grey - grey.mean()) * fade[:, None] * fade)
    distance = np.abs(np.arange(SIDE) - SIDE // PERIOD)
    at, around = distance <= PEAK, (distance >= NEAREST) & (distance <= FARTHEST)
    power = np.square(np.abs(spectrum))
    lines = [power.sum(axis=axis) for axis in (0, 1)]
    return float(max(line[at].mean() / line[around].mean() for line in lines))


def corner(image):
    """The upper left 512×512 pixels."""
    if min(image.shape[:2]) < SIDE:
        height, width = image.shape[:2]
        raise DataError(
            f"expected a photograph of at least {SIDE}x{SIDE} pixels, "
            f"got {width}x{height}"
        )
    return image[:SIDE, :SIDE]


def ratios(stylizer, image):
    """{style: {setting: ratio}}."""
    return {
        style: {
            name: weave(stylizer.stylize(image, style, **setting))
            for name, setting in SETTINGS.items()
        }
        for style in stylizer.styles
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--against", help="the model before")
    parser.add_argument("--data", help="a photograph; default: matplotlib's")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    image = corner(read_image(options.data) if options.data else photograph())
    results = {"photograph": weave(image)}
    print(f"photograph {weave(image):.2f}; {', '.join(SETTINGS)}:")
    for role, name in {"released": options.model, "before": options.against}.items():
        if not name:
            continue
        stylizer = zoo.load(name)
        styles = ratios(stylizer, image)
        results[role] = {"model": stylizer.release.id.hex(), "styles": styles}
        print(role)
        for style, found in styles.items():
            print(f"  {style:20}", *(f"{ratio:6.2f}" for ratio in found.values()))
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
