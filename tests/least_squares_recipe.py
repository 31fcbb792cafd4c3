"""A recipe of a second, for the tests of the engine.

KILL_AT=n in the environment kills the process, as `kill -9` does, when batch n is due.
"""

import dataclasses
import os
import signal

import keras
import numpy as np

from yoto_tf.training.recipe import Recipe


class LeastSquares(keras.Model):
    """Fits the sum of its inputs; the loss is what is left."""

    def __init__(self, units):
        super().__init__()
        self.hidden = keras.layers.Dense(units)
        self.dropout = keras.layers.Dropout(0.1, seed=3)
        self.noise = keras.layers.GaussianNoise(0.01, seed=4)
        self.last = keras.layers.Dense(1)

    def call(self, inputs, training=None):
        hidden = self.dropout(self.hidden(inputs["x"]), training=training)
        return self.last(self.noise(hidden, training=training))

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        target = keras.ops.sum(x["x"], axis=-1, keepdims=True)
        error = keras.ops.cast(y_pred, "float32") - target
        return keras.ops.mean(keras.ops.square(error))


@dataclasses.dataclass(frozen=True, kw_only=True)
class LeastSquaresRecipe(Recipe):
    units: int = 8

    def build(self):
        return LeastSquares(self.units)

    def batches(self, spec, first_batch):
        kill_at = int(os.environ.get("KILL_AT", -1))
        index = first_batch
        while True:
            if index == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            random = np.random.default_rng(index)
            yield {"x": random.normal(size=(self.batch_size, 4)).astype("float32")}
            index += 1


def recipe():
    return LeastSquaresRecipe(
        steps=600, batch_size=16, learning_rate=0.01, warmup_steps=20
    )
