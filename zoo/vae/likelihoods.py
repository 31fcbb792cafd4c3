"""The distribution of the pixels, of which the decoder computes the parameters."""

import dataclasses
import math
from collections.abc import Callable

from keras import ops

from yoto_tf.zoo.vae.losses import bernoulli_terms, gaussian_terms

# Keeps logarithms of deviations finite.
EPSILON = 1e-6


@dataclasses.dataclass(frozen=True)
class Likelihood:
    """A distribution for each value of a picture, given the latents.

    Attributes:
        parameters: how many numbers each has.
        outputs: function of those numbers, float32 [B, H, W, parameters · C], to the
            network's outputs, among them `"reconstruction"`, the mean, in [0, 1].
        terms: the loss terms, a function of the network's inputs and outputs.
        bin_nats: −log of the width of a bin of 8-bit values, where the terms are those
            of a density; else 0.
    """

    parameters: int
    outputs: Callable
    terms: Callable
    bin_nats: float


def _gaussian(numbers):
    mean, scale = ops.split(numbers, 2, axis=-1)
    # The decoder's pixels are in [−1, 1].
    return {
        "reconstruction": 0.5 * (mean + 1),
        "reconstruction_scale": 0.5 * (ops.softplus(scale) + EPSILON),
    }


def _bernoulli(numbers):
    return {"reconstruction": ops.sigmoid(numbers), "logits": numbers}


LIKELIHOODS = {
    "gaussian": Likelihood(2, _gaussian, gaussian_terms, math.log(255 / 2)),
    "bernoulli": Likelihood(1, _bernoulli, bernoulli_terms, 0.0),
}
