"""A network of eight channels, for seconds of training on noise."""

import dataclasses

import numpy as np

import yoto_tf as yoto
from sharpness_dial.network import UpscalingNetwork, loss_terms
from sharpness_dial.upscaler import Upscaler
from yoto_tf.data import Examples
from yoto_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True, kw_only=True)
class UpscalerRecipe(Recipe):
    filters: int = 8

    def build(self):
        coefficients = self.training_coefficients(
            yoto.Coefficients(sharpness=yoto.LogUniform(0.01, 1.0))
        )
        network = UpscalingNetwork(coefficients, self.filters)
        return yoto.LossConditionalModel(network, loss_terms, coefficients)

    def batches(self, spec, first_batch):
        target = np.random.default_rng(self.seed).random((8, 16, 16, 3), "float32")
        examples = {"image": target[:, ::2, ::2], "target": target}
        return Examples(examples, self.batch_size, self.seed, first_batch=first_batch)

    def release(self, model, directory):
        card = "# Upscaler\n\nTwice the size, as sharp as you like.\n"
        Upscaler.from_network(model.network, card).save(directory)


def recipe():
    return UpscalerRecipe(steps=20, batch_size=4, learning_rate=1e-2, warmup_steps=1)
