"""Writes `measured.json` of each released model from the results of the other scripts.

    python benchmarks/measured.py

Run it after a model was released or measured again.
"""

import json
from pathlib import Path

from yoto_tf import zoo
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.measurements import FILE, Measurement, pack

RESULTS = Path(__file__).parent / "results"
ANCHORS = {
    "JPEG 4:2:0": "JPEG 4:2:0",
    "WebP": "WebP",
    "Ballé 2018 hyperprior (opt. MSE)": "Ballé et al. (2018)",
}


def of_codec(name):
    """BD-rates, and where the dial begins and ends."""
    found = _read(f"kodak_{name}")
    rates = {
        f"BD-rate against {title}": (found["bd_rate_percent"]["psnr"][anchor], "%")
        for anchor, title in ANCHORS.items()
    }
    for point in (found["mean"][0], found["mean"][-1]):
        at = f"at distortion = {point['distortion']:g}"
        rates[f"PSNR {at}"] = point["psnr"], "dB"
        rates[f"rate {at}"] = point["bits_per_pixel"], "bits per pixel"
    return _measurements(rates, "Kodak")


def of_stylizer(name):
    """Rank correlations of the dials with what they weigh, and frames a second."""
    found = _read("stylization_dials")
    release = zoo.release_of(name)
    # A training makes other dials of them.
    is_of_these = found["model"] in {release.id.hex(), *_former_ids(release)}
    dials = found["rank_correlation"].values() if is_of_these else ()
    correlations = {
        f"rank correlation of {dial} and its loss term": (
            sum(dials_of_style[dial] for dials_of_style in dials) / len(dials),
            "",
        )
        for dial in next(iter(dials), ())
    }
    seconds = _read("stylization_speed")["frames"]["512"]["mixed_bfloat16"]
    speed = {"frames a second at 512×512 in bfloat16": (1 / seconds, "")}
    return [
        *_measurements(correlations, "24 photographs, mean of 12 styles"),
        *_measurements(speed, "two cores of an AMD EPYC (Zen 5)"),
    ]


def _former_ids(release):
    return {former.hex() for former in release.former_ids}


def of_vae(name):
    """Both terms of the loss at the ends of the dial and at β = 1."""
    found = _read(name.replace("-", "_"))
    coefficients = [point["kl"] for point in found["sweep"]["coefficients"]]
    terms = dict(zip(coefficients, found["sweep"]["terms"], strict=True))
    values = {}
    for beta in (coefficients[0], 1.0, coefficients[-1]):
        for term, value in terms[beta].items():
            title = "KL" if term == "kl" else term
            values[f"{title} at kl = {beta:g}"] = value, "nats"
    split = found["data"].removeprefix("tfds:").replace(":", ", ")
    return _measurements(values, f"{found['pictures']:,} pictures of {split}")


MEASURED = {"codec": of_codec, "stylization": of_stylizer, "vae": of_vae}


def measured():
    """{name: list of `Measurement`} of the released models."""
    return {
        name: MEASURED[summary.family](name)
        for name, summary in zoo.summaries().items()
    }


def _measurements(values, data):
    return [
        Measurement(metric, round(float(f"{value:.4g}"), 4), unit, data)
        for metric, (value, unit) in values.items()
    ]


def _read(name):
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))


def main():
    for name, figures in measured().items():
        write_atomically(zoo.names()[name] / FILE, pack(figures))
        print(name, *figures, sep="\n  ")


if __name__ == "__main__":
    main()
