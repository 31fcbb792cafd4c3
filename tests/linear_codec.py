"""A network that nobody trained, yet that reconstructs pictures."""

import keras
import numpy as np

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.codec import ContextHyperprior, Hyperprior
from yoto_tf.zoo.codec.training.linear_start import start_as_linear_codec
from yoto_tf.zoo.codec.training.residual_start import start_as_residual_codec


def linear_hyperprior(photograph, filters, hyper_filters):
    """A hyperprior that starts as a linear codec of a uint8 [600, 512, 3]."""
    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, filters, hyper_filters)
    network.build(None)
    start_as_linear_codec(network, _patches(photograph))
    return network


def linear_context_hyperprior(photograph):
    """Likewise, with a small context that corrects by what chance has made of it."""
    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = ContextHyperprior(
        coefficients, (16, 32, 64), (1, 1, 1), 16, context_filters=24
    )
    network.build(None)
    patches = _patches(photograph)
    start_as_residual_codec(network, patches)
    # Hyper-latents that are more than a few ones.
    network.hyper_log_gain.dense.bias.assign_add([15.0] * 16)
    for context in (network.mean_context, network.scale_context):
        for weight in context.trainable_variables:
            weight.assign_add(keras.random.normal(weight.shape, stddev=0.1))
    # Its activations have ranges once it has been called in training.
    vectors = coefficients.grid(len(patches))
    network({"image": patches, "coefficients": vectors}, training=True)
    return network


def _patches(photograph):
    patches = [
        photograph[y : y + 64, x : x + 64]
        for y in range(0, 512, 64)
        for x in range(0, 448, 64)
    ]
    return np.stack(patches) / np.float32(255)
