"""Rate and distortion on the Kodak images, against published curves.

    python benchmarks/kodak.py --data KODAK_FOLDER --curves CURVES.json [--model codec]

encodes and decodes every image at each tenth of the quality, measures bits from the
sizes of the real files and PSNR and MS-SSIM from the decoded 8-bit pictures, prints the
BD-rate against each curve (PSNR and MS-SSIM, RGB), and writes
`results/kodak_MODEL.json` and `.png`.

Published curves are a dict of {"source": ..., "psnr_rgb": [[bits per pixel, dB], ...],
"ms_ssim_rgb": [[bits per pixel, MS-SSIM], ...]} by name. JPEG, WebP, AVIF and JPEG XL
come from `results/formats_kodak.json`, which `picture_formats.py` measures on the same
pictures. All curves are means over the images at each setting.
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
from yoto_tf.imaging.metrics import ms_ssim_db
from yoto_tf.tradeoff import bd_rate
from yoto_tf.zoo.codec.evaluation import evaluate

RESULTS = Path(__file__).parent / "results"
FORMATS = RESULTS / "formats_kodak.json"
PUBLISHED = ("Ballé 2018 hyperprior (opt. MSE)", "BPG 4:4:4")
MEASURED = ("JPEG 4:2:0", "WebP", "AVIF", "JPEG XL")
# What each curve holds for each quality, and how an axis names it.
QUALITIES = {
    "psnr": "PSNR (dB, RGB)",
    "ms_ssim": "MS-SSIM, −10 log₁₀(1 − x) (dB)",
}
# Qualities in dB at which the smaller of two formats' files is looked for.
SAMPLES = 100
TENTHS = 11


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


def curve(points, quality="psnr"):
    """The rates and qualities in dB of points, with the rate ascending."""
    return ascending(
        (point["bits_per_pixel"], in_decibels(quality, point[quality]))
        for point in points
    )


def in_decibels(quality, value):
    return ms_ssim_db(value) if quality == "ms_ssim" else value


def published_curves(path):
    """{name: {quality: (rates, values in dB)}} of a file of published curves."""
    return {
        name: {
            quality: ascending(
                (rate, in_decibels(quality, value))
                for rate, value in published.get(f"{quality}_rgb", ())
            )
            for quality in QUALITIES
        }
        for name, published in json.loads(path.read_text(encoding="utf-8")).items()
    }


def measured_curves(path):
    """The same of formats that were measured here; for AVIF the smaller of its two."""
    formats = json.loads(path.read_text(encoding="utf-8"))["formats"]
    curves = {
        f"{name}, measured": {quality: curve(points, quality) for quality in QUALITIES}
        for name, points in formats.items()
    }
    curves["AVIF, measured"] = {
        quality: smaller(
            curves["AVIF 4:2:0, measured"][quality],
            curves["AVIF 4:4:4, measured"][quality],
        )
        for quality in QUALITIES
    }
    return curves


def smaller(first, second):
    """The curve that has at each quality the smaller rate of two curves'.

    Args:
        first, second: rates and qualities in dB, both ascending.

    Returns:
        Likewise, over the qualities that at least one of the two reaches.
    """
    ends = [(qualities[0], qualities[-1]) for _, qualities in (first, second)]
    grid = np.linspace(
        min(low for low, _ in ends), max(high for _, high in ends), SAMPLES
    )
    rates = np.min(
        [
            np.exp(np.interp(grid, qualities, np.log(rates), left=np.inf, right=np.inf))
            for rates, qualities in (first, second)
        ],
        axis=0,
    )
    return ascending(zip(rates.tolist(), grid.tolist(), strict=True))


def compare(evaluation, curves, quality="psnr"):
    """{curve: BD-rate in percent, or the reason that there is none}."""
    own = curve(evaluation.mean, quality)
    rates = {}
    for name, qualities in curves.items():
        try:
            rates[name] = bd_rate(*own, *qualities[quality])
        except YotoError as error:
            rates[name] = str(error)
    return rates


def spelled(rate):
    return "   none" if isinstance(rate, str) else f"{rate:+6.1f}%"


def plot(evaluation, curves, path):
    """Draws PSNR and MS-SSIM over the rate, beside published and measured curves."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    drawn = [*PUBLISHED, *(f"{name}, measured" for name in MEASURED)]
    for axes, (quality, label) in zip(
        figure.subplots(1, 2), QUALITIES.items(), strict=True
    ):
        for name in drawn:
            if name in curves:
                axes.plot(*curves[name][quality], "--", label=name, linewidth=1)
        own = curve(evaluation.mean, quality)
        axes.plot(
            *own, "ko-", label=f"yoto_tf {evaluation.model}: one network", zorder=3
        )
        axes.set(
            xlim=(0, 1.1 * own[0][-1]),
            ylim=(own[1][0] - 2, own[1][-1] + 3),
            xlabel="bits per pixel",
            ylabel=label,
        )
        axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    figure.suptitle(f"Kodak, mean of {len(evaluation.images)} images")
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="folder of the 24 images")
    parser.add_argument("--curves", required=True, help="JSON of published curves")
    parser.add_argument("--model", default="codec")
    arguments = parser.parse_args()
    curves = published_curves(Path(arguments.curves)) | measured_curves(FORMATS)
    codec = yoto_tf.zoo.load(arguments.model)
    evaluation = evaluate(codec, arguments.data, Path(arguments.model).name, TENTHS)
    evaluation = dataclasses.replace(evaluation, data="kodak")
    rates = {quality: compare(evaluation, curves, quality) for quality in QUALITIES}
    for row in evaluation.table():
        print("  ".join(f"{cell:>11}" for cell in row))
    print(f"BD-rate against {'':50} PSNR   MS-SSIM")
    for name in curves:
        cells = (spelled(rates[quality][name]) for quality in QUALITIES)
        print(f"  {name:62} " + "  ".join(cells))
    rising = strictly_rising(evaluation)
    print(f"bytes and PSNR rise strictly with λ on every image: {rising}")
    results = {
        **evaluation.to_dict(),
        "parameters": codec.model.count_params(),
        "bd_rate_percent": rates,
        "strictly_rising": rising,
    }
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"kodak_{evaluation.model}"
    plot(evaluation, curves, target.with_suffix(".png"))
    target.with_suffix(".json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
