"""Rate and distortion on the Kodak images, against published curves.

    python benchmarks/kodak.py --data KODAK_FOLDER --curves CURVES.json [--model codec]

encodes and decodes every image at eight λ, measures bits from the sizes of the real
files and PSNR and MS-SSIM from the decoded 8-bit pictures, prints the BD-rate against
each published curve (PSNR, RGB), and writes `results/kodak_MODEL.json` and `.png`.

The curves are `{name: {"source": ..., "psnr_rgb": [[bits per pixel, dB], ...]}}`; both
they and ours are averaged over the images at each setting.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from matplotlib.figure import Figure

import yoto_tf
from yoto_tf.errors import YotoError
from yoto_tf.tradeoff import bd_rate
from yoto_tf.zoo.codec.evaluation import evaluate

RESULTS = Path(__file__).parent / "results"
PLOTTED = ("Ballé 2018 hyperprior (opt. MSE)", "JPEG 4:2:0", "WebP", "BPG 4:4:4")


def ascending(points):
    """A curve's rates and qualities, without settings that another one dominates."""
    rates, qualities = [], []
    for rate, quality in sorted(map(tuple, points)):
        if not rates or (rate > rates[-1] and quality > qualities[-1]):
            rates.append(rate)
            qualities.append(quality)
    return rates, qualities


def strictly_rising(evaluation):
    """Whether bits and PSNR both rise with λ, strictly, on every single image."""
    return all(
        np.all(np.diff([point[name] for point in image["points"]]) > 0)
        for image in evaluation.images
        for name in ("bytes", "psnr")
    )


def compare(evaluation, curves):
    """{curve: BD-rate in percent, or the reason that there is none}."""
    own = curve(evaluation.mean)
    rates = {}
    for name, published in curves.items():
        try:
            rates[name] = bd_rate(*own, *ascending(published["psnr_rgb"]))
        except YotoError as error:
            rates[name] = str(error)
    return rates


def curve(points):
    """The rates and PSNR of points, with the rate ascending."""
    return ascending((point["bits_per_pixel"], point["psnr"]) for point in points)


def plot(evaluation, curves, path):
    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for name in PLOTTED:
        axes.plot(*ascending(curves[name]["psnr_rgb"]), "--", label=name, linewidth=1)
    own = curve(evaluation.mean)
    axes.plot(*own, "ko-", label=f"yoto_tf {evaluation.model}: one network", zorder=3)
    axes.set(
        xlim=(0, 1.1 * own[0][-1]),
        ylim=(own[1][0] - 2, own[1][-1] + 3),
        xlabel="bits per pixel",
        ylabel="PSNR (dB, RGB)",
        title="Kodak, mean of 24 images",
    )
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="folder of the 24 images")
    parser.add_argument("--curves", required=True, help="JSON of published curves")
    parser.add_argument("--model", default="codec")
    arguments = parser.parse_args()
    curves = json.loads(Path(arguments.curves).read_text(encoding="utf-8"))
    codec = yoto_tf.zoo.load(arguments.model)
    evaluation = evaluate(codec, arguments.data, Path(arguments.model).name)
    evaluation = dataclasses.replace(evaluation, data="kodak")
    rates = compare(evaluation, curves)
    for row in evaluation.table():
        print("  ".join(f"{cell:>11}" for cell in row))
    print("BD-rate (PSNR) against")
    for name, rate in rates.items():
        text = rate if isinstance(rate, str) else f"{rate:+.1f} %"
        print(f"  {name:62} {text}")
    rising = strictly_rising(evaluation)
    print(f"bytes and PSNR rise strictly with λ on every image: {rising}")
    results = {
        **evaluation.to_dict(),
        "bd_rate_percent": rates,
        "strictly_rising": rising,
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"kodak_{evaluation.model}"
    plot(evaluation, curves, target.with_suffix(".png"))
    target.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
