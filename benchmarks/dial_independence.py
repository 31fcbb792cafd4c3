"""Does each of the stylizer's style dials mean something of its own?

    python benchmarks/dial_independence.py --data KODAK --squeezenet SQUEEZENET.npz

For every style, "only style_k" is the picture with that dial at its highest and the
other style dials at their lowest, the content in the middle. Printed is, for each pair
of dials, how far these two pictures are apart, over half of what a dial's whole sweep
spans: the mean distance of five values of one dial, lowest to highest, the others in
the middle, for the mean of the style dials. At 1 and above two dials are as different
as the two halves of one. Distances are those of SqueezeNet's features, which no
training has seen, means over the photographs and the styles. Writes
`results/dial_independence.json`.
"""

import argparse
import itertools
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from stylization_dials import SqueezeNet, crops, distances
from tqdm import tqdm

from yoto_tf import zoo

RESULTS = Path(__file__).parent / "results" / "dial_independence.json"
POINTS = 5


def only(coefficients, dials):
    """A setting for each of `dials`: that one highest, the others lowest."""
    ranges = coefficients.ranges()
    lowest = {dial: ranges[dial][0] for dial in dials}
    return [{**lowest, dial: ranges[dial][1]} for dial in dials]


def sweep(coefficients, dial):
    """The settings along one dial, the others in the middle."""
    quantiles = np.linspace(0, 1, POINTS)
    values = coefficients.independent[dial].quantile(quantiles)
    return [{dial: float(value)} for value in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--data", required=True, help="held-out photographs")
    parser.add_argument("--squeezenet", required=True, help="SqueezeNet 1.0 as .npz")
    parser.add_argument("--photographs", type=int, default=4)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    stylizer = zoo.load(options.model)
    judge = SqueezeNet(options.squeezenet)
    images = np.rint(255 * crops(options.data, options.size, options.photographs))
    dials = [name for name in stylizer.coefficients.names if name != "content"]
    pairs = list(itertools.combinations(dials, 2))
    apart, within = {pair: [] for pair in pairs}, {dial: [] for dial in dials}

    def between(image, style, settings):
        pictures = [stylizer.stylize(image, style, **setting) for setting in settings]
        return distances(judge(np.stack(pictures) / np.float32(255)))

    todo = list(itertools.product(stylizer.styles, images.astype("uint8")))
    for style, image in tqdm(todo, disable=None):
        found = between(image, style, only(stylizer.coefficients, dials))
        for pair, distance in zip(pairs, found, strict=True):
            apart[pair].append(distance)
        for dial in dials:
            settings = sweep(stylizer.coefficients, dial)
            within[dial].append(np.mean(between(image, style, settings)))
    sweeps = {dial: float(np.mean(found)) for dial, found in within.items()}
    half = np.mean(list(sweeps.values())) / 2
    ratios = {
        f"{first}, {second}": float(np.mean(found) / half)
        for (first, second), found in apart.items()
    }
    for pair, ratio in ratios.items():
        print(f"{pair}: {ratio:.2f}")
    print("within a sweep:", *(f"{dial} {far:.3f}" for dial, far in sweeps.items()))
    results = {
        "model": stylizer.release.id.hex(),
        "photographs": len(images),
        "ratios": ratios,
        "within_a_sweep": sweeps,
    }
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
