"""How long the input pipeline takes, and whether a training step waits for it.

    python benchmarks/input_pipeline.py PHOTOGRAPHS

prints and writes `results/input_pipeline.json`: the time in which `Patches` makes a
batch with nothing else running, and the time of a training step of the codec with real
batches and with one repeated batch, in turns. Nothing else should be running. With
KERAS_BACKEND=jax on an accelerator the photographs lie there and the step cuts the
patches, as in a training.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

import keras

from yoto_tf.data import Patches
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.training.on_device import STEPS_A_CALL, cut_in_step, resident
from yoto_tf.training.precision import supported_precision
from yoto_tf.zoo.recipes import load_recipe

RESULTS = Path(__file__).parent / "results" / "input_pipeline.json"
SHAPES = ((128, 4), (128, 8), (256, 8))


class Repeated(keras.utils.PyDataset):
    """One batch for ever: what training costs when input costs nothing."""

    num_batches = None

    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __getitem__(self, index):
        return self.batch


def seconds_per_batch(patches, batches=200, rounds=5):
    """Median over rounds of the seconds `patches` takes for a batch, used by nobody."""
    seconds = []
    for start in range(0, rounds * batches, batches):
        began = time.perf_counter()
        for index in range(start, start + batches):
            patches[index]
        seconds.append((time.perf_counter() - began) / batches)
    return statistics.median(seconds)


def measure(model, real, repeated, steps=50, rounds=5):
    """Times training steps on two inputs in turns, so that both see the same machine.

    Args:
        model: a compiled Keras model.
        real: its usual input, such as `Patches`.
        repeated: `Repeated` with one batch of the same shapes.
        steps: steps in a round; one round each goes before, untimed.
        rounds: rounds of each input.

    Returns:
        `{"real": seconds, "repeated": seconds}`, medians over rounds of a step's time.
    """
    inputs = {"real": real, "repeated": repeated}
    seconds = {name: [] for name in inputs}
    for timed in range(-1, rounds):
        for name, data in inputs.items():
            clock = _SecondsOfEpoch()
            # Two epochs: starting `fit` is not part of a step.
            model.fit(
                data,
                steps_per_epoch=steps,
                epochs=2,
                shuffle=False,
                verbose=0,
                callbacks=[clock],
            )
            if timed >= 0:
                seconds[name].append(clock.seconds / steps)
    return {name: statistics.median(values) for name, values in seconds.items()}


def codec_step(patches):
    """`measure` for the recipe of the released codec."""
    recipe = load_recipe("codec/large")
    keras.config.set_dtype_policy(supported_precision(recipe.precision))
    real = patches.with_shape(recipe.patch_size, recipe.batch_size)
    model = recipe.build()
    model(real[0])
    model.compile(
        optimizer=recipe.optimizer(), jit_compile=keras.backend.backend() == "jax"
    )
    if held := resident(real):
        cut_in_step(model, held.cut)
        model.steps_per_execution = STEPS_A_CALL
        real = held
    return measure(model, real, Repeated(real[0]))


class _SecondsOfEpoch(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.began


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photographs", help="folder, glob or tfds:NAME[:SPLIT]")
    arguments = parser.parse_args()

    began = time.perf_counter()
    patches = Patches(arguments.photographs)
    results = {
        "cores": os.cpu_count(),
        "photographs": len(patches.photographs.loaded),
        "seconds_to_load": time.perf_counter() - began,
        "batches": [
            {
                "size": size,
                "batch_size": batch_size,
                "seconds": seconds_per_batch(patches.with_shape(size, batch_size)),
            }
            for size, batch_size in SHAPES
        ],
    }
    for row in results["batches"]:
        print(
            f"{row['batch_size']} patches of {row['size']}x{row['size']}: "
            f"{1000 * row['seconds']:.2f} ms, "
            f"{row['batch_size'] / row['seconds']:,.0f} patches a second"
        )
    step = results["training_step"] = codec_step(patches)
    print(
        f"training step of the codec: {1000 * step['real']:.1f} ms with photographs, "
        f"{1000 * step['repeated']:.1f} ms with one repeated batch: "
        f"{step['real'] / step['repeated']:.2f} times as long"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    write_atomically(RESULTS, (json.dumps(results, indent=1) + "\n").encode())
    print(f"wrote {RESULTS}")


if __name__ == "__main__":
    main()
