"""Draws what a dial does inside of the released codec, for the documentation.

    python benchmarks/dial_drawing.py

writes `docs/dial.png`: how λ is drawn in training, what FiLM makes of it in the
analysis, and what rates and PSNR the network then reaches on Kodak, which are read from
`results/kodak_codec.json`.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops
from matplotlib.figure import Figure

import yoto_tf

ROOT = Path(__file__).parents[1]
CHANNELS = 8


def first_film(network):
    """The first FiLM layer of the analysis."""
    return next(
        layer
        for layer in network.analysis._flatten_layers()
        if isinstance(layer, yoto_tf.layers.FiLM)
    )


def scales(network, values):
    """The scales of the channels that λ moves most, [values, CHANNELS]."""
    embedding = network.embedding(ops.convert_to_tensor(values[:, None]))
    scale = ops.convert_to_numpy(first_film(network).scale_and_shift(embedding)[0])
    return scale[:, np.argsort(-scale.std(axis=0))[:CHANNELS]]


def main():
    codec = yoto_tf.zoo.load("codec")
    [(low, high)] = codec.coefficients.ranges().values()
    values = np.geomspace(low, high, 60, dtype="float32")
    results = ROOT / "benchmarks" / "results" / "kodak_codec.json"
    points = json.loads(results.read_text(encoding="utf-8"))["mean"]
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    drawn, modulated, reached = figure.subplots(1, 3)
    draws = codec.coefficients.sample(4000, seed=0)
    draws = ops.convert_to_numpy(draws)[:, 0]
    drawn.hist(draws, bins=np.geomspace(low, high, 21), color="tab:purple", alpha=0.7)
    drawn.set(
        xscale="log", xlabel="λ", ylabel="draws, of 4,000", title="1. drawn in training"
    )
    modulated.plot(values, scales(codec.model, values))
    modulated.set(
        xscale="log",
        xlabel="λ",
        ylabel="FiLM's factor of a channel",
        title=f"2. told to the network: {CHANNELS} channels",
    )
    rates, qualities = (
        [point[name] for point in points] for name in ("bits_per_pixel", "psnr")
    )
    reached.plot(rates, qualities, color="0.7", zorder=1)
    colours = reached.scatter(
        rates,
        qualities,
        c=np.log10([point["distortion"] for point in points]),
        cmap="viridis",
        zorder=2,
    )
    figure.colorbar(colours, ax=reached, label="log₁₀ λ")
    reached.set(
        xlabel="bits per pixel", ylabel="PSNR (dB)", title="3. one network on Kodak"
    )
    for axes in (drawn, modulated, reached):
        axes.grid(alpha=0.3)
    figure.savefig(ROOT / "docs" / "dial.png", dpi=100)


if __name__ == "__main__":
    main()
