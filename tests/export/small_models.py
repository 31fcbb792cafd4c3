"""Small models of every family that nobody trained, yet whose dials do something."""

import keras
import numpy as np
from keras import layers, ops
from linear_codec import linear_context_hyperprior, linear_hyperprior

import yoto_tf as yoto
from yoto_tf import Coefficients, LogUniform, Uniform


def stir(network, *parts):
    """Moves the weights whose paths contain one of `parts` away from their start."""
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:
        if any(part in weight.path for part in parts):
            weight.assign(weight + rng.normal(0, 0.2, weight.shape))
    return network


def hyperprior(photograph):
    """A codec that starts as a linear transform codec, from a uint8 [600, 512, 3]."""
    from yoto_tf.zoo.codec import Codec

    network = linear_hyperprior(photograph, (8, 16, 24, 32), 8)
    stir(network, "analysis/film", "synthesis/film", "gain")
    return Codec.from_network(network, "# Test codec\n\nNobody trained it.\n")


def context_hyperprior(photograph):
    """A codec with a context, which starts likewise."""
    from yoto_tf.zoo.codec import Codec

    network = linear_context_hyperprior(photograph)
    stir(network, "analysis/film", "synthesis/film")
    return Codec.from_network(network, "# Test codec\n\nNobody trained it.\n")


def factorized_prior():
    """A codec of random filters."""
    from yoto_tf.zoo.codec import Codec, FactorizedPrior

    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = FactorizedPrior(coefficients, (8, 16, 24, 32))
    network.build(None)
    stir(network, "analysis/film", "synthesis/film", "gain")
    # Steps of a twentieth: there is something to code.
    network.log_gain.dense.bias.assign(np.full(32, 30.0))
    network.log_inverse_gain.dense.bias.assign(np.full(32, -30.0))
    return Codec.from_network(network, "# Test codec\n\nNobody trained it.\n")


def vae():
    """A VAE of pictures [16, 16, 3]."""
    from yoto_tf.zoo.vae import VAE, ConvVAE

    keras.utils.set_random_seed(1)
    coefficients = Coefficients(kl=LogUniform(0.1, 10.0))
    network = ConvVAE(coefficients, (16, 16, 3), (4, 8), 16, 4, film_units=8)
    network.build(None)
    return VAE.from_network(stir(network, "film"), "# Test VAE\n\nNobody trained it.\n")


def stylizer():
    """A stylizer of three styles, with a style encoder."""
    from yoto_tf.zoo.stylization import StyleNetwork, Stylizer

    keras.utils.set_random_seed(1)
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    styles = ("dots", "checks", "stripes")
    network = StyleNetwork(coefficients, styles, 0.125, 2, 8, style_encoder=True)
    network.build(None)
    stir(network, "film", "table", "joint", "interaction")
    return Stylizer.from_network(network, "# Test stylizer\n\nNobody trained it.\n")


def your_own():
    """A `LossConditionalModel` of a conditioned functional network."""
    keras.utils.set_random_seed(1)
    denoiser = keras.Sequential(
        [
            keras.Input((None, None, 1), name="noisy"),
            layers.Conv2D(
                8, 3, padding="same", activation="relu", kernel_regularizer="l2"
            ),
            layers.BatchNormalization(),
            layers.Conv2D(8, 3, padding="same", activation="relu"),
            layers.Conv2D(1, 3, padding="same"),
        ]
    )
    coefficients = Coefficients(
        smoothness=LogUniform(0.05, 0.5), contrast=Uniform(0.0, 2.0)
    )
    network = stir(yoto.condition(denoiser, coefficients), "film")
    return yoto.LossConditionalModel(network, _loss_terms, coefficients)


def _loss_terms(inputs, outputs):
    return {
        "smoothness": ops.mean(ops.abs(ops.diff(outputs, axis=1)), axis=(1, 2, 3)),
        "contrast": -ops.var(outputs, axis=(1, 2, 3)),
    }


def of_kind(kind, photograph):
    """One of the above by its name in `KINDS`."""
    if kind == "Hyperprior":
        return hyperprior(photograph)
    if kind == "ContextHyperprior":
        return context_hyperprior(photograph)
    makers = {
        "FactorizedPrior": factorized_prior,
        "vae": vae,
        "stylizer": stylizer,
        "your_own": your_own,
    }
    return makers[kind]()


KINDS = (
    "Hyperprior",
    "ContextHyperprior",
    "FactorizedPrior",
    "vae",
    "stylizer",
    "your_own",
)
