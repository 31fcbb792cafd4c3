"""From likelihoods to bits."""

import math

from keras import ops

from yoto_tf.entropy.bounds import clip_towards

MIN_LIKELIHOOD = 1e-9


def total_bits(likelihood):
    """-log2 of the likelihoods, summed over each example.

    Likelihoods below 1e-9 count as 1e-9, with a gradient that can still raise them.

    Args:
        likelihood: float32 tensor [B, ...] with values in [0, 1].

    Returns:
        float32 tensor [B].
    """
    logarithms = ops.log(clip_towards(likelihood, MIN_LIKELIHOOD, 1.0))
    axes = tuple(range(1, len(likelihood.shape)))
    return ops.sum(logarithms, axis=axes) * (-1 / math.log(2))
