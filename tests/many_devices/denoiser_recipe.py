"""A denoiser with a dial, trained by plain SGD: what differs comes from the batches.

KILL_AT=n in the environment kills the process, as `kill -9` does, when batch n is due;
TERM_AT=n sends it a SIGTERM instead.
"""

import dataclasses
import os
import signal

import keras
from keras import layers, ops

import yoto_tf as yoto
from yoto_tf.data import Patches
from yoto_tf.training import Recipe


def loss_terms(inputs, outputs):
    clean = inputs["image"]
    error = ops.mean(ops.square(outputs - clean), axis=(1, 2, 3))
    change = ops.mean(ops.abs(outputs[:, 1:] - outputs[:, :-1]), axis=(1, 2, 3))
    return {"error": error, "smoothness": change}


class SignalledPatches(Patches):
    """`Patches` that send signals to the process that reads them."""

    def __getitem__(self, index):
        for name, number in (("KILL_AT", signal.SIGKILL), ("TERM_AT", signal.SIGTERM)):
            if os.environ.get(name) == str(self.first_batch + index):
                os.kill(os.getpid(), number)
        return super().__getitem__(index)


@dataclasses.dataclass(frozen=True, kw_only=True)
class DenoiserRecipe(Recipe):
    layout_rule: str = r".*hidden/kernel"

    def build(self):
        denoiser = keras.Sequential(
            [
                keras.Input((16, 16, 3), name="image"),
                layers.GaussianNoise(0.1, seed=5),
                layers.Conv2D(8, 3, padding="same", activation="relu", name="hidden"),
                layers.Conv2D(3, 3, padding="same"),
            ]
        )
        coefficients = yoto.Coefficients(
            error=yoto.Fixed(1.0), smoothness=yoto.LogUniform(0.01, 1.0)
        )
        network = yoto.condition(denoiser, coefficients)
        return yoto.LossConditionalModel(network, loss_terms, coefficients)

    def batches(self, spec, first_batch):
        return SignalledPatches(
            spec,
            16,
            self.batch_size,
            self.seed,
            first_batch=first_batch,
            scales=(1.0,),
        )

    def optimizer(self):
        return keras.optimizers.SGD(self.learning_rate)

    def layout(self):
        return {self.layout_rule: (None, None, None, "model")}

    def release(self, model, directory):
        directory.mkdir(exist_ok=True)
        model.network.save_weights(directory / "network.weights.h5")


def recipe():
    return DenoiserRecipe(steps=6, batch_size=8, learning_rate=0.05)
