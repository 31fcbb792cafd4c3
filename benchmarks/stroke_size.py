"""Does a large photograph look like its thumbnail when it is stylised?

    python benchmarks/stroke_size.py --data PHOTOGRAPHS [--styles NAME ...]

Each photograph is stylised with `stroke` 1, whose strokes have the network's own size
in pixels, and with the default, and scaled down to the size at which the default leaves
strokes as they are. Printed is how far that is from the stylised thumbnail of that
size: mean absolute difference in steps of 8 bits. To bring the thumbnail up with
Lanczos would look the same from afar. What it blurs stands beside it: the mean slope of
the picture's brightness, in steps a pixel, where that of the photograph is steepest.
Last come the seconds of the processor, all cores together. Writes
`results/stroke_size.json`.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from tqdm import tqdm

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization.color import LUMA
from yoto_tf.zoo.stylization.guided_upsampling import smaller as resized
from yoto_tf.zoo.stylization.stroke import LARGEST_SIDE, size_to_paint

RESULTS = Path(__file__).parent / "results" / "stroke_size.json"
STYLES = ("great_wave", "starry_night")
STROKES = (1, "auto")
# Share of a photograph's pixels that are its edges.
EDGES = 0.01


def slope(image):
    """Of the brightness of uint8 [H, W, 3], in steps a pixel: [H, W]."""
    return np.hypot(*np.gradient(image @ LUMA))


def edges_of(image):
    """Where the photograph is steepest, bool [H, W]."""
    steepness = slope(image)
    return steepness >= np.quantile(steepness, 1 - EDGES)


def away(first, second):
    """Mean absolute difference in steps of 8 bits."""
    return float(np.abs(first.astype("float32") - second).mean())


def measured(stylizer, image, style):
    """{way: {"away", "slope", "processor_seconds"}} of one photograph and style."""
    size = size_to_paint("auto", *image.shape[:2])
    if size == image.shape[:2]:
        raise DataError(
            f"expected a shorter side of more than {LARGEST_SIDE} pixels, "
            f"got {min(size)}"
        )
    edges, found = edges_of(image), {}
    thumbnail = stylizer.stylize(resized(image, *size), style)
    for stroke in STROKES:
        began = time.process_time()
        picture = stylizer.stylize(image, style, stroke=stroke)
        seconds = time.process_time() - began
        found[f"stroke {stroke}"] = {
            "away": away(resized(picture, *size), thumbnail),
            "slope": float(slope(picture)[edges].mean()),
            "processor_seconds": seconds,
        }
    lanczos = resized(thumbnail, *image.shape[:2])
    found["Lanczos"] = {
        "away": away(resized(lanczos, *size), thumbnail),
        "slope": float(slope(lanczos)[edges].mean()),
    }
    return found


def mean(found):
    """Of results of `measured`."""
    return {
        way: {
            name: float(np.mean([result[way][name] for result in found]))
            for name in figures
        }
        for way, figures in found[0].items()
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--data", required=True, help="large photographs")
    parser.add_argument("--styles", nargs="+", default=STYLES)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    stylizer = zoo.load(options.model)
    # The network is compiled for a size it does not know, which is not to be counted.
    for side in (64, 96):
        stylizer.stylize(np.zeros((side, side, 3), "uint8"), options.styles[0])
    photographs, every = {}, []
    for path in tqdm(image_files(options.data), disable=None):
        image = read_image(path)
        found = [measured(stylizer, image, style) for style in options.styles]
        every += found
        photographs[path.name] = {
            "height": image.shape[0],
            "width": image.shape[1],
            **mean(found),
        }
        print(path.name, f"{image.shape[1]}x{image.shape[0]}")
        show(mean(found))
    print("mean")
    show(mean(every))
    results = {
        "model": stylizer.release.id.hex(),
        "styles": list(options.styles),
        "photographs": photographs,
        "mean": mean(every),
    }
    options.results.write_text(json.dumps(results, indent=2) + "\n")


def show(figures):
    for way, values in figures.items():
        print(
            f"  {way:12}",
            *(f"{name} {value:8.2f}" for name, value in values.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
