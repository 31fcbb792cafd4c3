"""A network that nobody trained, yet that reconstructs pictures."""

import keras
import numpy as np

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.codec import Hyperprior
from yoto_tf.zoo.codec.linear_start import start_as_linear_codec


def linear_hyperprior(photograph, filters, hyper_filters):
    """A hyperprior that starts as a linear codec of a uint8 [600, 512, 3]."""
    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, filters, hyper_filters)
    network.build(None)
    patches = [
        photograph[y : y + 64, x : x + 64]
        for y in range(0, 512, 64)
        for x in range(0, 448, 64)
    ]
    start_as_linear_codec(network, np.stack(patches) / 255)
    return network
