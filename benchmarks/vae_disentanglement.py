"""What β-VAEs are used for: whether factors of pictures have latents of their own.

    python benchmarks/vae_disentanglement.py
    python benchmarks/vae_disentanglement.py --model runs/vae-shapes/release

prints, at 13 β of one network, the mutual information gap on pictures of known shape,
size, place and colour that were set aside, the part of each factor's entropy that its
best latent tells, and the latents in use; and writes `results/vae_disentanglement.json`
and `.png`.
"""

import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from matplotlib.figure import Figure

from yoto_tf import zoo
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.vae.disentanglement import disentanglement
from yoto_tf.zoo.vae.shapes import FACTORS, factors, rendered

RESULTS = Path(__file__).parent / "results" / "vae_disentanglement.json"
SETTINGS = 13
# Samples of the posterior of each picture.
SAMPLES = 8
# A latent is in use from so many nats a picture on.
LEAST_NATS = 0.1


def measure(vae, spec):
    """A list of a dict for each setting of the dial."""
    values = factors(spec)
    pictures = rendered(values)
    random = np.random.default_rng(0)
    rows = []
    for setting in vae.settings(SETTINGS):
        mean, scale = vae.encode(pictures, **setting)
        noise = random.standard_normal((SAMPLES, *mean.shape))
        latents = (mean + scale * noise).reshape(-1, mean.shape[1])
        found = disentanglement(latents, np.tile(values, (SAMPLES, 1)))
        carried = vae.information(pictures, **setting)
        rows.append(
            {
                **setting,
                "gap": found.gap,
                "share": dict(zip(FACTORS, found.share.tolist(), strict=True)),
                "latents_in_use": int((carried > LEAST_NATS).sum()),
                "kl_nats": float(carried.sum()),
            }
        )
    return rows


def plot(rows, path):
    """Draws the gap and the shares of the factors over β."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    beta = [row["kl"] for row in rows]
    left.plot(beta, [row["gap"] for row in rows], "o-")
    left.set(ylabel="mutual information gap", title="a latent for each factor")
    for name in FACTORS:
        right.plot(beta, [row["share"][name] for row in rows], "o-", label=name)
    right.set(ylabel="share of its entropy", title="what the best latent tells")
    right.legend()
    for axes in (left, right):
        axes.set(xscale="log", xlabel="β", ylim=(0, 1))
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="vae-shapes")
    parser.add_argument("--pictures", default="shapes:test")
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    rows = measure(zoo.load(arguments.model), arguments.pictures)
    for row in rows:
        shares = "  ".join(f"{name} {row['share'][name]:.2f}" for name in FACTORS)
        print(
            f"β {row['kl']:8.3f}  gap {row['gap']:.3f}  {shares}  "
            f"{row['latents_in_use']} latents, {row['kl_nats']:.1f} nats"
        )
    report = {"pictures": arguments.pictures, "samples": SAMPLES, "settings": rows}
    write_atomically(arguments.results, json.dumps(report, indent=2).encode() + b"\n")
    plot(rows, arguments.results.with_suffix(".png"))


if __name__ == "__main__":
    main()
