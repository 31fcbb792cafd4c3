"""Three ways to condition a network and three laws to draw coefficients from.

    python benchmarks/conditioning_ways.py --photographs A --test-photographs B

For two digits in one picture (MultiMNIST), a denoiser and a variational autoencoder of
digits: the loss of one network with a dial over that of a network trained for one
vector alone, at both ends of the dial and in its middle. All have the same steps,
pictures and learning rate. First `how="film"`, `"lora"` and `"gate"` of
`yoto_tf.condition` with the law that the examples use; then the way that is best on
average, with the quantiles of the coefficients drawn uniformly, after the arcsine law,
and from the middle out to the ends while the training goes on (`Annealed`).

MNIST comes from TFDS, whose folder `TFDS_DATA_DIR` names. Every training is written to
`--results` when it ends and not repeated. With one seed it takes about two hours of two
cores. `--smoke` does two steps of each on random pictures, to see that all runs.
"""

import argparse
import dataclasses
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.data import Examples, load_arrays, write_image
from yoto_tf.machine.atomic_files import write_atomically

RESULTS = Path(__file__).parent / "results" / "conditioning_ways.json"
EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
WAYS = ("film", "lora", "gate")
LAWS = ("uniform", "arcsine", "annealed")
PLACES = ("low", "middle", "high")


@dataclasses.dataclass
class Task:
    """A network, its losses and data.

    Attributes:
        build: makes the network without a dial.
        loss_terms: as for `LossConditionalModel`.
        usual: the law of the example.
        laws: the three laws to compare, by name.
        vectors: [3, K], the ends and the middle of the dial.
        train: makes endless batches from a seed.
        test: finite batches.
        rate: what the learning rate starts at.
    """

    build: Callable
    loss_terms: Callable
    usual: yoto.Coefficients
    laws: dict
    vectors: np.ndarray
    train: Callable
    test: object
    rate: float


def example(name):
    """A program of docs/examples as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def laws_over(name, low, high):
    """The three laws for one coefficient that spans decades."""
    laws = {
        "uniform": yoto.LogUniform(low, high),
        "arcsine": yoto.LogArcsine(low, high),
        "annealed": yoto.Annealed(yoto.LogUniform(low, high)),
    }
    return {law: yoto.Coefficients(**{name: laws[law]}) for law in LAWS}


def multi_mnist(data):
    program = example("multi_mnist")
    pictures = program.overlay(data["digits"], seed=0)
    test = program.overlay(data["test_digits"], seed=1)

    def dirichlet(concentration):
        return yoto.Dirichlet(**dict.fromkeys(program.CORNERS, concentration))

    return Task(
        program.lenet,
        program.losses,
        program.COEFFICIENTS,
        {
            "uniform": yoto.Coefficients(dirichlet(1.0)),
            "arcsine": yoto.Coefficients(dirichlet(0.5)),
            "annealed": yoto.Coefficients(yoto.Annealed(dirichlet(1.0))),
        },
        program.PREFERENCES[[0, 12, 24]],
        lambda seed: Examples(pictures, min(256, len(pictures["image"])), seed),
        Examples(test, batch_size=1000, shuffle=False),
        1e-3,
    )


def denoiser(data):
    program = example("denoiser")
    return Task(
        program.denoiser,
        program.loss_terms,
        program.COEFFICIENTS,
        laws_over("smoothness", 0.003, 0.3),
        program.COEFFICIENTS.grid(3),
        lambda seed: program.NoisyPatches(
            data["photographs"], size=48, batch_size=16, seed=seed
        ),
        list(program.noisy_photographs(data["test_photographs"])),
        2e-3,
    )


class Sampling(layers.Layer):
    """A normal variate by its mean and the logarithm of its variance."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, mean, log_variance):
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(log_variance / 2) * noise


def autoencoder():
    """A variational autoencoder with 16 latents for 28×28 pixels."""
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(32, 3, 2, padding="same", activation="relu")(image)
    x = layers.Conv2D(64, 3, 2, padding="same", activation="relu")(x)
    x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
    mean, log_variance = layers.Dense(16)(x), layers.Dense(16)(x)
    x = layers.Dense(128, activation="relu")(Sampling()(mean, log_variance))
    x = layers.Dense(7 * 7 * 64, activation="relu")(x)
    x = layers.Reshape((7, 7, 64))(x)
    x = layers.Conv2DTranspose(32, 3, 2, padding="same", activation="relu")(x)
    logits = layers.Conv2DTranspose(1, 3, 2, padding="same")(x)
    return keras.Model(
        image, {"mean": mean, "log_variance": log_variance, "logits": logits}
    )


def evidence(inputs, outputs):
    """The two terms of the evidence lower bound, in nats an example."""
    logits, image = outputs["logits"], inputs["image"]
    entropy = ops.softplus(logits) - image * logits
    mean, log_variance = outputs["mean"], outputs["log_variance"]
    divergence = ops.square(mean) + ops.exp(log_variance) - log_variance - 1
    return {
        "reconstruction": ops.sum(entropy, axis=(1, 2, 3)),
        "kl": ops.sum(divergence, axis=1) / 2,
    }


def vae(data):
    laws = laws_over("kl", 0.1, 10.0)
    digits, test = (
        {"image": data[name]["image"]} for name in ("digits", "test_digits")
    )
    return Task(
        autoencoder,
        evidence,
        laws["uniform"],
        laws,
        laws["uniform"].grid(3),
        lambda seed: Examples(digits, min(128, len(digits["image"])), seed),
        Examples(test, batch_size=1000, shuffle=False),
        1e-3,
    )


TASKS = {"multi_mnist": multi_mnist, "denoiser": denoiser, "vae": vae}


def train(task, network, coefficients, steps, seed):
    model = yoto.LossConditionalModel(
        network, task.loss_terms, coefficients, normalize_weights=_positive(task)
    )
    rate = keras.optimizers.schedules.CosineDecay(task.rate, steps)
    # JAX needs XLA; TensorFlow is faster without it at such small convolutions.
    is_jax = keras.backend.backend() == "jax"
    # A few steps take less time than compiling them.
    options = {"run_eagerly": True} if steps < 10 else {"jit_compile": is_jax}
    model.compile(keras.optimizers.Adam(rate), **options)
    model.fit(task.train(seed), steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


def _positive(task):
    return min(low for low, _ in task.usual.ranges().values()) > 0


def totals(model, task, vectors):
    """The weighted sum of the loss terms at each vector, on the test data."""
    front = yoto.sweep(model, task.test, vectors)
    return [
        sum(coefficients.get(name, 1.0) * value for name, value in terms.items())
        for coefficients, terms in zip(front.coefficients, front.terms, strict=True)
    ]


class Trainings:
    """The results of trainings, kept in a file: what is there is not done again."""

    def __init__(self, path, steps):
        self.path, self.steps = path, steps
        self.found = {}
        if path.exists():
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["steps"] == steps:
                self.found = stored["trainings"]

    def result(self, key, run):
        if key not in self.found:
            began = time.perf_counter()
            values, parameters = run()
            seconds = time.perf_counter() - began
            self.found[key] = {
                "totals": values,
                "parameters": parameters,
                "seconds": seconds,
            }
            print(f"{key:40} {seconds:6.0f} s", flush=True)
            contents = {"steps": self.steps, "trainings": self.found}
            write_atomically(
                self.path, (json.dumps(contents, indent=2) + "\n").encode()
            )
        return self.found[key]

    def fixed(self, name, task, seed):
        """The totals [3] of networks that are each trained for one vector alone."""
        rows = []
        for place, vector in zip(PLACES, task.vectors, strict=True):

            def run(vector=vector):
                keras.utils.set_random_seed(seed)
                named = zip(task.usual.names, map(float, vector), strict=True)
                held = yoto.Coefficients(**{n: yoto.Fixed(v) for n, v in named})
                model = train(task, task.build(), held, self.steps, seed)
                return totals(model, task, vector), model.network.count_params()

            rows += self.result(f"{name}/fixed {place}/{seed}", run)["totals"]
        return np.array(rows)

    def ratios(self, name, task, how, law, coefficients, seeds):
        """The mean over seeds of the totals [3] over those of `fixed`."""

        def run(seed):
            keras.utils.set_random_seed(seed)
            network = yoto.condition(task.build(), coefficients, how=how)
            model = train(task, network, coefficients, self.steps, seed)
            return totals(model, task, task.vectors), network.count_params()

        rows = [
            np.array(
                self.result(f"{name}/{how} {law}/{seed}", lambda seed=seed: run(seed))[
                    "totals"
                ]
            )
            / self.fixed(name, task, seed)
            for seed in seeds
        ]
        return np.mean(rows, axis=0)


def compare(tasks, trainings, seeds):
    """{(task, way, law): ratios [3]} and the best way."""
    found = {}
    for name, task in tasks.items():
        for how in WAYS:
            found[name, how, "usual"] = trainings.ratios(
                name, task, how, "usual", task.usual, seeds
            )
    means = {
        how: statistics.mean(found[name, how, "usual"].mean() for name in tasks)
        for how in WAYS
    }
    best = min(means, key=means.get)
    for name, task in tasks.items():
        for law in LAWS:
            coefficients = task.laws[law]
            # Not trained twice where the example's law is one of the three.
            is_usual = coefficients.get_config() == task.usual.get_config()
            found[name, best, law] = trainings.ratios(
                name, task, best, "usual" if is_usual else law, coefficients, seeds
            )
    return found, best


def table(found):
    """The ratios as percent above the networks for one vector, as Markdown."""
    lines = ["| task | way | law | low | middle | high | mean |", "|" + "---|" * 7]
    for (name, how, law), ratios in found.items():
        cells = [f"{100 * ratio - 100:+.1f} %" for ratio in (*ratios, ratios.mean())]
        lines.append(f"| {name} | {how} | {law} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def random_data(folder):
    """Pictures that show nothing, for `--smoke`."""
    random = np.random.default_rng(0)
    data = {}
    for name in ("digits", "test_digits"):
        images = random.integers(256, size=(20, 28, 28, 1), dtype=np.uint8)
        data[name] = {"image": images, "label": np.arange(20) % 10}
    for name in ("photographs", "test_photographs"):
        data[name] = Path(folder) / name
        data[name].mkdir()
        picture = random.integers(256, size=(64, 64, 3), dtype=np.uint8)
        write_image(data[name] / "noise.png", picture)
    return data


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=[*TASKS])
    parser.add_argument("--photographs", help="folder to train the denoiser on")
    parser.add_argument("--test-photographs", help="folder of others to test it on")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--smoke", action="store_true", help="two steps, random data")
    options = parser.parse_args(arguments)
    needs_folders = "denoiser" in options.tasks and not options.smoke
    if needs_folders and not (options.photographs and options.test_photographs):
        parser.error("the denoiser needs --photographs and --test-photographs")
    with tempfile.TemporaryDirectory() as folder:
        if options.smoke:
            options.steps, data = 2, random_data(folder)
        else:
            data = {
                "photographs": options.photographs,
                "test_photographs": options.test_photographs,
            }
            if set(options.tasks) != {"denoiser"}:
                data["digits"] = load_arrays("tfds:mnist:train")
                data["test_digits"] = load_arrays("tfds:mnist:test")
        tasks = {name: TASKS[name](data) for name in options.tasks}
        trainings = Trainings(options.results, options.steps)
        found, best = compare(tasks, trainings, options.seeds)
    print(table(found))
    print(f"the best way on average: {best}")


if __name__ == "__main__":
    main()
