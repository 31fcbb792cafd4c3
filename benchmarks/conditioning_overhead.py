"""What the dial costs: a training step, and an encode, of the codec's networks.

    python benchmarks/conditioning_overhead.py
    KERAS_BACKEND=jax python benchmarks/conditioning_overhead.py --steps 2 --rounds 4

times three things in turns, so that all see the same machine:

    keras      the network without conditioning, at one λ, in Keras' own `fit`
    trainer    the same network in a `LossConditionalModel`, which draws λ and weighs
    film       the conditioned network in a `LossConditionalModel`

How fast one network runs depends on where its arrays happen to lie, by more than what
is measured. So all three are built anew some times, in another order each, and what is
compared is the median of the rounds in the build that was fastest, of each.

It writes `results/conditioning_overhead.json`, where what other backends and recipes
reached stays. On TensorFlow the time to encode a picture is compared as well. Nothing
else should be running.
"""

import argparse
import dataclasses
import functools
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from input_pipeline import Repeated
from keras import ops
from matplotlib.cbook import get_sample_data
from PIL import Image

from yoto_tf import LossConditionalModel
from yoto_tf.training.precision import supported_precision
from yoto_tf.zoo.codec import Codec, Hyperprior
from yoto_tf.zoo.codec.losses import rate_distortion_terms
from yoto_tf.zoo.recipes import load_recipe

RESULTS = Path(__file__).parent / "results" / "conditioning_overhead.json"
LAMBDA = 0.018


class Plain(keras.Model):
    """A network and its loss as one writes them in Keras for fixed weights."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, inputs, training=None):
        rows = ops.full((ops.shape(inputs["image"])[0], 1), LAMBDA)
        inputs = {**inputs, "coefficients": rows}
        return self.network(inputs, training=training)

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        terms = rate_distortion_terms(x, y_pred)
        return ops.mean(LAMBDA * terms["distortion"] + terms["rate"])


def models(recipe):
    """{name: model} of the three."""
    conditioned = recipe.build()
    coefficients = conditioned.coefficients
    networks = [
        Hyperprior(
            coefficients, recipe.filters, recipe.hyper_filters, conditioned=False
        )
        for _ in range(2)
    ]
    trainer = LossConditionalModel(
        networks[1], rate_distortion_terms, coefficients, normalize_weights=True
    )
    return {"keras": Plain(networks[0]), "trainer": trainer, "film": conditioned}


def compare(build, builds, rounds):
    """Times what a function builds, built anew each time.

    Args:
        build: function that returns {name: function to time}, "keras" among them.
        builds: how often, in another order each time.
        rounds: of each build, in which the functions take turns.

    Returns:
        {"seconds": {name: median of the fastest build}, "over keras": {name: ratio}}.
    """
    found = []
    for number in range(builds):
        functions = build()
        names = list(functions)
        turn = number % len(names)
        seconds = {name: [] for name in names[turn:] + names[:turn]}
        for name in seconds:
            functions[name]()
        for _ in range(rounds):
            for name, measured in seconds.items():
                began = time.perf_counter()
                functions[name]()
                measured.append(time.perf_counter() - began)
        found.append({name: statistics.median(seconds[name]) for name in names})
    least = {name: min(each[name] for each in found) for name in names}
    ratios = {name: seconds / least["keras"] for name, seconds in least.items()}
    return {"seconds": least, "over keras": ratios}


def training_steps(recipe, steps):
    """{name: function that trains the model for some steps}."""
    random = np.random.default_rng(0)
    size = (recipe.batch_size, recipe.patch_size, recipe.patch_size, 3)
    batch = Repeated({"image": random.random(size, "float32")})
    functions = {}
    for name, model in models(recipe).items():
        model(batch[0])
        # JAX needs XLA.
        is_jax = keras.backend.backend() == "jax"
        model.compile(optimizer=recipe.optimizer(), jit_compile=is_jax)
        functions[name] = functools.partial(
            model.fit, batch, steps_per_epoch=steps, verbose=0, shuffle=False
        )
    return functions


def encodes(recipe, precision):
    """{name: function that compresses a 768×512 picture}, with conditioning and not."""
    with Image.open(get_sample_data("grace_hopper.jpg", asfileobj=False)) as file:
        image = np.asarray(file.resize((768, 512)))
    made = models(recipe)
    functions = {}
    for name in ("keras", "film"):
        network = made[name].network
        network.build(None)
        codec = Codec(Codec.from_network(network).release, precision)
        functions[name] = functools.partial(codec.compress, image, quality=0.5)
    return functions


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    recipes = ["codec/small", "codec/large"]
    parser.add_argument("--recipes", nargs="+", default=recipes)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--builds", type=int, default=5)
    arguments = parser.parse_args()
    backend = keras.backend.backend()
    stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = {name: value for name, value in stored.items() if " on " in name}
    for name in arguments.recipes:
        recipe = dataclasses.replace(load_recipe(name), steps=10**6)
        precision = supported_precision(recipe.precision)
        keras.config.set_dtype_policy(precision)
        builds, rounds, steps = arguments.builds, arguments.rounds, arguments.steps
        build = functools.partial(training_steps, recipe, steps)
        measured = {"training step": compare(build, builds, rounds)}
        seconds = measured["training step"]["seconds"]
        seconds.update({kind: value / steps for kind, value in seconds.items()})
        if backend == "tensorflow":
            build = functools.partial(encodes, recipe, precision)
            measured["encode"] = compare(build, builds, 2 * rounds)
        for what, found in measured.items():
            columns = [
                f"{kind} {1e3 * found['seconds'][kind]:.1f} ms ({ratio:.3f})"
                for kind, ratio in found["over keras"].items()
            ]
            print(f"{backend:10} {name:12} {what:14} {'  '.join(columns)}", flush=True)
        results[f"{name} on {backend}"] = {"precision": precision, **measured}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
