"""Where the time of a small network's training step goes, and what gets it back.

    TFDS_DATA_DIR=… python benchmarks/vae_step.py

times training steps of a VAE's recipe, in turns so that all see the same machine: as
the recipe has it, and with one thing changed at a time. Prints the medians, of the
clock and of the processors together, and writes them to `results/vae_step.json`.
Nothing else should be running.
"""

import argparse
import json
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from input_pipeline import Repeated

from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.vae.pictures import load_pictures

RESULTS = Path(__file__).parent / "results" / "vae_step.json"
BASELINE = "the recipe's: a compiled graph, pictures in memory"
# What is changed: {name: (arguments of `compile`, steps per execution, policy, data)}.
VARIANTS = {
    BASELINE: ({}, 1, "float32", "memory"),
    "eager": ({"run_eagerly": True}, 1, "float32", "memory"),
    "10 steps per execution": ({}, 10, "float32", "memory"),
    "compiled with XLA": ({"jit_compile": True}, 1, "float32", "memory"),
    "mixed bfloat16": ({}, 1, "mixed_bfloat16", "memory"),
    "one repeated batch": ({}, 1, "float32", "repeated"),
    "pictures through tf.data": ({}, 1, "float32", "tf.data"),
}


def streamed(recipe):
    """The recipe's pictures as most programs read them: mapped by `tf.data`."""
    import tensorflow as tf

    images = load_pictures(recipe.data, recipe.image_shape)
    side = recipe.enlarged
    height, width, channels = recipe.image_shape

    def prepared(image):
        image = tf.cast(image, tf.float32) / 255.0
        if side is not None:
            image = tf.image.resize(image, (side, side))
            image = tf.image.random_crop(image, (height, width, channels))
            image = tf.image.random_flip_left_right(image)
        return {"image": image}

    pictures = tf.data.Dataset.from_tensor_slices(images).repeat().shuffle(10_000)
    pictures = pictures.map(prepared, tf.data.AUTOTUNE)
    return pictures.batch(recipe.batch_size).prefetch(tf.data.AUTOTUNE)


def trainers(recipe, steps):
    """{variant: function that trains for so many steps}, each warmed up."""
    memory = recipe.batches(recipe.data, 0)
    data = {
        "memory": memory,
        "repeated": Repeated(memory[0]),
        "tf.data": streamed(recipe),
    }
    functions = {}
    for name, (arguments, per_execution, policy, source) in VARIANTS.items():
        keras.config.set_dtype_policy(policy)
        keras.utils.set_random_seed(0)
        model = recipe.build()
        model(memory[0])
        arguments = {"jit_compile": False, **arguments}
        model.compile(
            optimizer=recipe.optimizer(),
            steps_per_execution=per_execution,
            **arguments,
        )

        def train(model=model, batches=data[source]):
            model.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False)

        train()
        functions[name] = train
    return functions


def measure(functions, steps, rounds):
    """{variant: {"milliseconds", "processor_milliseconds"} of a step}, medians."""
    clocks = {name: [] for name in functions}
    processors = {name: [] for name in functions}
    for _ in range(rounds):
        for name, train in functions.items():
            began, used = time.perf_counter(), time.process_time()
            train()
            clocks[name].append(time.perf_counter() - began)
            processors[name].append(time.process_time() - used)
    scale = 1000 / steps
    return {
        name: {
            "milliseconds": scale * statistics.median(clocks[name]),
            "processor_milliseconds": scale * statistics.median(processors[name]),
        }
        for name in functions
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipes", nargs="+", default=["vae/mnist", "vae/cifar10"])
    parser.add_argument("--steps", type=int, default=50, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    results = {"cores": os.cpu_count(), "recipes": {}}
    for name in arguments.recipes:
        recipe = load_recipe(name)
        functions = trainers(recipe, arguments.steps)
        rows = measure(functions, arguments.steps, arguments.rounds)
        results["recipes"][name] = rows
        base = rows[BASELINE]["milliseconds"]
        for variant, row in rows.items():
            print(
                f"{name}  {variant:50} {row['milliseconds']:7.1f} ms"
                f"  {row['processor_milliseconds']:7.1f} ms of processors"
                f"  {100 * row['milliseconds'] / base:4.0f} %"
            )
    RESULTS.parent.mkdir(exist_ok=True)
    write_atomically(RESULTS, (json.dumps(results, indent=2) + "\n").encode())


if __name__ == "__main__":
    main()
