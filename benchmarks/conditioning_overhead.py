"""What the dial costs: the conditioned codec against the same network without it.

    python benchmarks/conditioning_overhead.py

times a training step and an encode of both networks in turns, so that both see the same
machine, prints the ratios of the medians, and writes
`results/conditioning_overhead.json`. The network without conditioning has no FiLM and a
fixed λ; all else is equal. Nothing else should be running.
"""

import argparse
import dataclasses
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from input_pipeline import Repeated
from matplotlib.cbook import get_sample_data
from PIL import Image

from yoto_tf import Coefficients, Fixed, LossConditionalModel
from yoto_tf.training.precision import supported_precision
from yoto_tf.zoo.codec import Codec, Hyperprior
from yoto_tf.zoo.codec.losses import rate_distortion_terms
from yoto_tf.zoo.recipes import load_recipe

RESULTS = Path(__file__).parent / "results" / "conditioning_overhead.json"


def models(recipe):
    """The recipe's conditioned model, and the same for one fixed λ."""
    fixed = Coefficients(distortion=Fixed(0.018))
    network = Hyperprior(fixed, recipe.filters, recipe.hyper_filters, conditioned=False)
    plain = LossConditionalModel(
        network, rate_distortion_terms, fixed, normalize_weights=True
    )
    return {"conditioned": recipe.build(), "plain": plain}


def medians(functions, rounds):
    """Runs {name: function} in turns; the median seconds of each."""
    seconds = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            began = time.perf_counter()
            function()
            seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(times) for name, times in seconds.items()}


def training_step(recipe, steps=10, rounds=20):
    """Median seconds of a training step of each model."""
    random = np.random.default_rng(0)
    size = (recipe.batch_size, recipe.patch_size, recipe.patch_size, 3)
    batch = Repeated({"image": random.random(size, "float32")})
    functions = {}
    for name, model in models(recipe).items():
        model(batch[0])
        model.compile(optimizer=recipe.optimizer(), jit_compile=False)

        def fit(model=model):
            model.fit(batch, steps_per_epoch=steps, verbose=0, shuffle=False)

        fit()
        functions[name] = fit
    times = medians(functions, rounds)
    return {name: seconds / steps for name, seconds in times.items()}


def encode(recipe, precision, rounds=40):
    """Median seconds to compress a 768×512 picture with each model."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as file:
        image = np.asarray(file.resize((768, 512)))
    functions = {}
    for name, model in models(recipe).items():
        model.network.build(None)
        release = Codec.from_network(model.network).release
        codec = Codec(release, precision)
        functions[name] = lambda codec=codec: codec.compress(image, quality=0.5)
        functions[name]()
    return medians(functions, rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="codec/large")
    parser.add_argument("--rounds", type=int, default=20)
    arguments = parser.parse_args()
    recipe = dataclasses.replace(load_recipe(arguments.recipe), steps=10**6)
    precision = supported_precision(recipe.precision)
    keras.config.set_dtype_policy(precision)
    times = {
        "training step": training_step(recipe, rounds=arguments.rounds),
        "encode": encode(recipe, precision, rounds=2 * arguments.rounds),
    }
    results = {"recipe": arguments.recipe, "precision": precision}
    for what, seconds in times.items():
        overhead = 100 * (seconds["conditioned"] / seconds["plain"] - 1)
        results[what] = {**seconds, "overhead_percent": overhead}
        print(
            f"{what:14} plain {1e3 * seconds['plain']:7.1f} ms"
            f"  conditioned {1e3 * seconds['conditioned']:7.1f} ms"
            f"  overhead {overhead:+.1f} %"
        )
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
