"""The two terms of the β-VAE's loss, in nats an example.

    β · KL(q(z|x) ‖ N(0, I)) − log p(x|z) ,   z ~ q(z|x)

Both are sums, over latents and over pixels and channels: with means in the place of one
of them β would mean something else.

Reference: Higgins et al., "beta-VAE: Learning Basic Visual Concepts with a Constrained
Variational Framework", ICLR 2017.
"""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="yoto_tf.vae")
def gaussian_terms(inputs, outputs):
    """Terms of a network whose likelihood is a normal distribution for each value.

    Pixels are those of [−1, 1], as in the authors' code: a density, not a probability,
    whose logarithm may be positive. A bin of 1/255 of the range is log(127.5) = 4.85
    nats a value away.

    Args:
        inputs: {"image": [B, H, W, C] in [0, 1]}.
        outputs: of a `ConvVAE` with `likelihood="gaussian"`.

    Returns:
        {"kl": [B], "reconstruction": −log p(x|z), [B]}.
    """
    image = ops.cast(inputs["image"], "float32")
    scale = outputs["reconstruction_scale"]
    error = (image - outputs["reconstruction"]) / scale
    # The scale in [−1, 1] is twice that in [0, 1].
    constant = 0.5 * math.log(2 * math.pi) + math.log(2)
    values = 0.5 * ops.square(error) + ops.log(scale) + constant
    return {
        "kl": kl_divergence(outputs),
        "reconstruction": ops.sum(values, axis=(1, 2, 3)),
    }


@keras.saving.register_keras_serializable(package="yoto_tf.vae")
def bernoulli_terms(inputs, outputs):
    """Terms of a network whose likelihood is a Bernoulli distribution for each value.

    A grey value is taken for the probability of a white pixel: the term is the
    expectation of −log p over random binarisations of the picture, in place of one
    such binarisation. Numbers published for binarised pictures are lower.

    Args:
        inputs: {"image": [B, H, W, C] in [0, 1]}.
        outputs: of a `ConvVAE` with `likelihood="bernoulli"`.

    Returns:
        {"kl": [B], "reconstruction": [B]}.
    """
    image = ops.cast(inputs["image"], "float32")
    logits = outputs["logits"]
    values = ops.softplus(logits) - image * logits
    return {
        "kl": kl_divergence(outputs),
        "reconstruction": ops.sum(values, axis=(1, 2, 3)),
    }


def kl_divergence(outputs):
    """KL of N(mean, diag(scale²)) to N(0, I), summed over latents: [B].

    Args:
        outputs: {"posterior_mean": [B, D], "posterior_scale": [B, D], > 0}.
    """
    mean, scale = outputs["posterior_mean"], outputs["posterior_scale"]
    twice = ops.square(mean) + ops.square(scale) - 1 - 2 * ops.log(scale)
    return 0.5 * ops.sum(twice, axis=-1)
