"""MultiMNIST, the standard benchmark of Pareto-front learning, with one LeNet.

    python docs/examples/multi_mnist.py --methods linear cosmos --steps 42200

Two digits overlap, one at the top left and one at the bottom right of 36×36 pixels.
Both are to be told, and a preference weighs the two cross-entropies. One conditioned
LeNet is trained for all preferences; the hypervolume of its front over 25 of them, up
to the point [2, 2], is printed beside published ones. `--out` receives
`multi_mnist.json` and `multi_mnist.png`.

Protocol, after COSMOS (Ruchte & Grabocka, "Scalable Pareto Front Approximation for Deep
Multi-Objective Learning", ICDM 2021; github.com/ruchtem/cosmos): 120,000 pictures, a
tenth of them for validation; 42,200 steps of 256 (100 epochs) of Adam at 10⁻³, divided
by ten at 20, 40, 80 and 90 %; preferences from Dirichlet(1.2); test preferences evenly
spaced in angle from 0.1 to π/2 − 0.1; tested are the weights with the largest
hypervolume in validation. What differs here:

- FiLM conditions LeNet, instead of two more input channels.
- COSMOS takes its pictures from a file of Pareto MTL (Lin et al., NeurIPS 2019). Here
  each picture has two digits of different classes that are up to 4 pixels away from
  their corners in both directions; the lighter pixel wins. Every digit is used twice.
  Where TFDS' copy of MNIST has 3,000 test digits, not 10,000, there are 6,000 test
  pictures, not 20,000.
- Weighted sums have a preference for each example. The other two methods are, as
  published, about the mean losses of a batch and have one preference for all of it.
- Validation takes place 10 times, not 20.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops
from matplotlib.figure import Figure

import yoto_tf as yoto
from yoto_tf.data import Examples, load_arrays

CORNERS = ("top_left", "bottom_right")
BATCH_SIZE = 256
COEFFICIENTS = yoto.Coefficients(yoto.Dirichlet(top_left=1.2, bottom_right=1.2))
METHODS = {
    "linear": yoto.WeightedSum(),
    "cosmos": yoto.COSMOS(penalty=2),
    "tchebycheff": yoto.Tchebycheff(),
}
ANGLES = np.linspace(0.1, np.pi / 2 - 0.1, 25)
PREFERENCES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
PREFERENCES /= PREFERENCES.sum(axis=1, keepdims=True)
# Means and deviations of ten runs under the protocol of COSMOS, and parameters: Table 1
# of Chen & Kwok, "Multi-Objective Deep Learning with Adaptive Reference Vectors",
# NeurIPS 2022.
PUBLISHED = """\
| method | hypervolume | parameters |
|---|---|---|
| COSMOS, published | 2.95 ± 0.02 | 43,058 |
| Pareto HyperNetwork (EPO), published | 2.82 ± 0.04 | 3,243,410 |
| Pareto HyperNetwork (weighted sum), published | 2.79 ± 0.04 | 3,243,410 |"""


def overlay(digits, seed):
    """Pictures [2N, 36, 36, 1] and the label of each corner, from N digits of MNIST."""
    random = np.random.default_rng(seed)
    count, labels = len(digits["label"]), digits["label"]
    first, second = random.permuted(np.tile(np.arange(count), (2, 2)), axis=1)
    while (same := labels[first] == labels[second]).any():
        second[same] = random.integers(count, size=same.sum())
    image = np.zeros((2 * count, 36, 36, 1), np.uint8)
    shifts = random.integers(5, size=(2 * count, 4))
    for picture, one, other, (a, b, c, d) in zip(
        image, digits["image"][first], digits["image"][second], shifts, strict=True
    ):
        picture[a : a + 28, b : b + 28] = one
        corner = picture[c + 4 : c + 32, d + 4 : d + 32]
        np.maximum(corner, other, out=corner)
    return {"image": image, "top_left": labels[first], "bottom_right": labels[second]}


def lenet():
    image = keras.Input((36, 36, 1), name="image")
    x = layers.Conv2D(10, 5, activation="relu")(image)
    x = layers.MaxPooling2D()(x)
    x = layers.Conv2D(20, 5, activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Dense(50, activation="relu")(layers.Flatten()(x))
    return keras.Model(image, {name: layers.Dense(10)(x) for name in CORNERS})


def losses(inputs, outputs):
    """The cross-entropies of each example."""
    entropy = keras.losses.sparse_categorical_crossentropy
    return {name: entropy(inputs[name], outputs[name], True) for name in CORNERS}


def mean_losses(inputs, outputs):
    """The cross-entropies of the batch, as if they were those of each example."""
    terms = losses(inputs, outputs)
    return {name: ops.zeros_like(term) + ops.mean(term) for name, term in terms.items()}


class WithOnePreference(Examples):
    """Batches that bring one preference; without, the model draws one an example."""

    def __getitem__(self, index):
        preference = np.random.default_rng(index).dirichlet([1.2, 1.2])
        rows = np.tile(preference.astype("float32"), (self.batch_size, 1))
        return {**super().__getitem__(index), "coefficients": rows}


def measure(model, pictures):
    """The front over the test preferences, and its hypervolume."""
    batches = Examples(pictures, batch_size=1000, shuffle=False)
    front = yoto.sweep(model, batches, PREFERENCES)
    return front, yoto.hypervolume(front.points(*CORNERS), reference=[2, 2])


class KeepBest(keras.callbacks.Callback):
    """Ends a training with the weights of the largest hypervolume in validation."""

    def __init__(self, pictures):
        super().__init__()
        self.pictures, self.volume = pictures, -1.0

    def on_epoch_end(self, epoch, logs=None):
        _, volume = measure(self.model, self.pictures)
        print(f" - hypervolume in validation: {volume:.3f}")
        if volume > self.volume:
            self.volume, self.weights = volume, self.model.get_weights()

    def on_train_end(self, logs=None):
        self.model.set_weights(self.weights)


def train(method, pictures, steps):
    """Trains one network for all preferences."""
    batches, terms = WithOnePreference, mean_losses
    if method == "linear":
        batches, terms = Examples, losses
    model = yoto.LossConditionalModel(
        yoto.condition(lenet(), COEFFICIENTS, units=(64,)),
        terms,
        COEFFICIENTS,
        scalarization=METHODS[method],
    )
    return fit(model, pictures, steps, batches, KeepBest)


def fit(model, pictures, steps, batches, keep):
    """Trains a model under the protocol.

    Args:
        model: a `LossConditionalModel`.
        pictures: as from `overlay`.
        steps: of the whole training.
        batches: `Examples` or a subclass.
        keep: of the pictures for validation, makes the callback that keeps the best
            weights.

    Returns:
        The model.
    """
    validation = {name: array[::10] for name, array in pictures.items()}
    rest = np.arange(len(pictures["image"])) % 10 > 0
    training = {name: array[rest] for name, array in pictures.items()}
    rate = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(steps * part) for part in (0.2, 0.4, 0.8, 0.9)],
        [1e-3, 1e-4, 1e-5, 1e-6, 1e-7],
    )
    # JAX needs XLA; TensorFlow is faster without it at such small convolutions.
    is_jax = keras.backend.backend() == "jax"
    model.compile(keras.optimizers.Adam(rate), jit_compile=is_jax)
    model.fit(
        batches(training, BATCH_SIZE),
        steps_per_epoch=-(-steps // 10),
        epochs=10,
        callbacks=[keep(validation)],
        shuffle=False,
    )
    return model


def plot(results, path):
    figure = Figure(figsize=(5.5, 4), layout="constrained")
    axes = figure.subplots()
    for method, result in results.items():
        points = [[point[name] for name in CORNERS] for point in result["front"]]
        axes.plot(*np.transpose(points), marker="o", label=method)
    axes.set(
        xlabel="cross-entropy, top left (nats)",
        ylabel="cross-entropy, bottom right (nats)",
    )
    axes.grid(alpha=0.3)
    axes.legend(title="method")
    figure.savefig(path)


def run(digits, test_digits, methods, steps, out):
    """Trains and tests methods on digits as from `load_arrays`; writes to `out`.

    What `out` has of other methods stays there.
    """
    out.mkdir(parents=True, exist_ok=True)
    stored = out / "multi_mnist.json"
    results = json.loads(stored.read_text()) if stored.exists() else {}
    test = overlay(test_digits, seed=1)
    for method in methods:
        keras.utils.set_random_seed(0)
        model = train(method, overlay(digits, seed=0), steps)
        front, volume = measure(model, test)
        results[method] = {
            "hypervolume": volume,
            "parameters": model.network.count_params(),
            "steps": steps,
            "test_pictures": len(test["image"]),
            "front": front.table(),
        }
        stored.write_text(json.dumps(results, indent=2) + "\n")
        plot(results, out / "multi_mnist.png")
    print(PUBLISHED)
    for method, result in results.items():
        row = "| {}, here | {hypervolume:.3f} | {parameters:,} |"
        print(row.format(method, **result))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["linear"])
    parser.add_argument("--data", help="TFDS' folder, if TFDS_DATA_DIR does not say it")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--out", type=Path, default=Path("results"))
    args = parser.parse_args(arguments)
    digits, test_digits = (
        load_arrays(f"tfds:mnist:{split}", args.data) for split in ("train", "test")
    )
    run(digits, test_digits, args.methods, args.steps, args.out)


if __name__ == "__main__":
    main()
