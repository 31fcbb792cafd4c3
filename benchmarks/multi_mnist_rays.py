"""One network for all preferences against one for each, on MultiMNIST.

    TFDS_DATA_DIR=FOLDER python benchmarks/multi_mnist_rays.py --steps 42200

trains the network of `docs/examples/multi_mnist.py` (weighted sum) once with its dial,
and a LeNet without one at each of the 25 preferences that the example tests, all with
the same pictures, steps, batches and schedule. A dedicated network is tested
with the weights that had the least weighted loss in validation, the other with those
that had the largest hypervolume, as in the example. The program prints for each
preference the weighted losses in the test and their ratio, then the mean ratio and the
hypervolume of both fronts.

Every training is written to `results/multi_mnist_rays.json` when it ends and not
repeated while `--steps` is the same. `--rays N` takes N of the 25, evenly spaced.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from conditioning_ways import example

import yoto_tf as yoto
from yoto_tf.data import Examples, load_arrays
from yoto_tf.machine.atomic_files import write_atomically

RESULTS = Path(__file__).parent / "results" / "multi_mnist_rays.json"


class KeepLeast(keras.callbacks.Callback):
    """Ends a training with the weights of the least weighted loss in validation."""

    def __init__(self, pictures):
        super().__init__()
        self.pictures, self.least = pictures, np.inf

    def on_epoch_end(self, epoch, logs=None):
        (total,) = tested(self.model, self.pictures, [self.model.fixed_vector]).totals()
        if total < self.least:
            self.least, self.weights = total, self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


def tested(model, pictures, preferences):
    """A `Sweep` over preferences."""
    batches = Examples(pictures, batch_size=1000, shuffle=False)
    return yoto.sweep(model, batches, preferences)


def dedicated(program, preference, pictures, steps):
    """Trains a LeNet without a dial for one preference."""
    model = yoto.LossConditionalModel(
        program.lenet(), program.losses, program.COEFFICIENTS
    )
    model.fixed_vector = np.asarray(preference, "float32")
    return program.fit(model, pictures, steps, Examples, KeepLeast)


def measure(program, digits, test_digits, rays, steps, path):
    """Trains what `path` does not hold yet; returns all results, by ray."""
    pictures = program.overlay(digits, seed=0)
    test = program.overlay(test_digits, seed=1)
    stored = json.loads(path.read_text()) if path.exists() else {}
    if stored.get("steps") != steps:
        stored = {"steps": steps}

    def keep(key, train, preferences):
        if key not in stored:
            keras.utils.set_random_seed(0)
            stored[key] = tested(train(), test, preferences).terms
            write_atomically(path, (json.dumps(stored, indent=2) + "\n").encode())

    keep("one", lambda: program.train("linear", pictures, steps), program.PREFERENCES)
    for ray in rays:
        preference = program.PREFERENCES[ray]
        keep(
            f"ray {ray}",
            lambda preference=preference: dedicated(
                program, preference, pictures, steps
            ),
            [preference],
        )
    return stored


def show(program, stored, rays):
    """Prints the ratios; returns their mean."""
    ratios, many = [], []
    print("preference  one network  dedicated  ratio")
    for ray in rays:
        weights = dict(zip(program.CORNERS, program.PREFERENCES[ray], strict=True))
        rows = stored["one"][ray], stored[f"ray {ray}"][0]
        one, other = (sum(weights[key] * row[key] for key in weights) for row in rows)
        ratios.append(one / other)
        many.append([rows[1][name] for name in program.CORNERS])
        preference = weights[program.CORNERS[0]]
        print(f"{preference:10.3f}  {one:11.4f}  {other:9.4f}  {ratios[-1]:.4f}")
    front = [[row[name] for name in program.CORNERS] for row in stored["one"]]
    print(f"mean ratio over {len(rays)} preferences: {np.mean(ratios):.4f}")
    for name, points in (("one network", front), ("dedicated", many)):
        print(f"hypervolume, {name}: {yoto.hypervolume(points, [2, 2]):.3f}")
    return float(np.mean(ratios))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", help="TFDS' folder, if TFDS_DATA_DIR does not say it")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--rays", type=int, default=25)
    parser.add_argument("--results", type=Path, default=RESULTS)
    args = parser.parse_args(arguments)
    program = example("multi_mnist")
    rays = np.unique(np.linspace(0, 24, args.rays).round().astype(int)).tolist()
    digits, test_digits = (
        load_arrays(f"tfds:mnist:{split}", args.data) for split in ("train", "test")
    )
    stored = measure(program, digits, test_digits, rays, args.steps, args.results)
    show(program, stored, rays)


if __name__ == "__main__":
    main()
