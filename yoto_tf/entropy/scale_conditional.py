"""A density with a mean and a scale for every value: latents under a hyperprior.

Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018; the
mean is that of Minnen et al., "Joint autoregressive and hierarchical priors", 2018.
"""

import abc
import math

import keras
import numpy as np
from keras import ops

from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.bounds import clip_towards
from yoto_tf.entropy.coding_tables import CodingTables, integer_ranges
from yoto_tf.entropy.scale_table import LOG_STEP, MIN_SCALE, NUM_SCALES

# Of the range coder's tables: the probability left to the escape symbol, and log2 of
# the sum of the frequencies.
TAIL_MASS = 2**-10
PRECISION = 16


class ScaleConditional(keras.layers.Layer, abc.ABC):
    """Conditional entropy model of one shape with a table of log-spaced scales.

    The likelihood of x is a density of unit deviation, scaled, and convolved with a
    unit-width uniform density. With Q(z), the mass above z,

        p(x) = Q((x - mean - 1/2) / scale) - Q((x - mean + 1/2) / scale),
        scale = 0.11 · (256 / 0.11)^(index / 63),

    with a real-valued index into the table of 64 scales. While training, the scale
    varies continuously with the index; otherwise bits are counted as the range coder
    has them, which knows the 64 scales only and has an escape symbol for what lies
    beyond the ends of their tables: the density may find an outlier far too expensive.

    All arithmetic is float32 whatever the dtype policy.
    """

    def __init__(self, **kwargs):
        # bfloat16 cannot represent probabilities: the policy of the rest of the model
        # does not apply here.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.seed_generator = keras.random.SeedGenerator()

    @abc.abstractmethod
    def upper_tail(self, z):
        """Graph: Q(z), the mass above z of a float32 tensor, symmetric about zero."""

    @abc.abstractmethod
    def exact_upper_tail(self, z):
        """Q(z) of a float64 array."""

    @abc.abstractmethod
    def two_sided_quantile(self, mass):
        """The z ≥ 0 for which the mass beyond −z and z, together, is `mass`."""

    @property
    def scale_table(self):
        """The standard deviations, float64 array [64], ascending from 0.11 to 256."""
        return MIN_SCALE * np.exp(LOG_STEP * np.arange(NUM_SCALES))

    def build(self, *_):
        self.built = True

    def call(self, inputs, indexes, mean=None, training=None):
        """Quantises around the mean, or adds noise instead, and counts bits.

        Args:
            inputs: float tensor [B, ...].
            indexes: float tensor of the shape of `inputs`, positions in the scale
                table. Clipped to [0, 63]; the gradient lets a clipped one come back.
            mean: None for zero, or float tensor of the shape of `inputs`.
            training: if true, uniform noise in [-1/2, 1/2) is added; otherwise the
                distance from the mean is rounded, halves to even.

        Returns:
            A tuple of the perturbed or rounded inputs, float32 of the shape of
            `inputs`, and the bits of each example, float32 [B].
        """
        if training:
            outputs = inputs + keras.random.uniform(
                ops.shape(inputs), -0.5, 0.5, dtype="float32", seed=self.seed_generator
            )
            centred = outputs if mean is None else outputs - mean
            likelihood = self.likelihood(centred, indexes)
        else:
            centred = ops.round(inputs if mean is None else inputs - mean)
            outputs = centred if mean is None else centred + mean
            likelihood = self.coded_likelihood(centred, ops.round(indexes))
        return outputs, total_bits(likelihood)

    def likelihood(self, centred, indexes):
        """The probability mass of the unit interval around each value.

        Args:
            centred: float32 tensor, values minus their means.
            indexes: float32 tensor of the same shape, positions in the scale table.

        Returns:
            float32 tensor of the same shape with values in [0, 1].
        """
        index = clip_towards(indexes, 0.0, float(NUM_SCALES - 1))
        per_scale = ops.exp(index * -LOG_STEP - math.log(MIN_SCALE))
        # Both tails are alike: the one where Q is small keeps its precision.
        distance = ops.abs(centred)
        nearer = self.upper_tail((distance - 0.5) * per_scale)
        return nearer - self.upper_tail((distance + 0.5) * per_scale)

    def coded_likelihood(self, integers, indexes):
        """The probability of each integer under the default `coding_tables`.

        Up to where its table ends it is the likelihood, but no less than the smallest
        frequency. At a distance d beyond, it is that of the escape symbol, of the
        2⌊log2 d⌋ + 1 digits of an Elias gamma code, and of a sign.

        Args:
            integers: float32 tensor of integers.
            indexes: float32 tensor of the same shape, integers, positions in the scale
                table.

        Returns:
            float32 tensor of the same shape with values in [0, 1].
        """
        index = ops.clip(indexes, 0.0, float(NUM_SCALES - 1))
        scale = ops.exp(index * LOG_STEP + math.log(MIN_SCALE))
        last = ops.ceil(self.two_sided_quantile(TAIL_MASS) * scale)
        escape = 2 * self.upper_tail((last + 0.5) / scale)
        beyond = ops.abs(integers) - last
        # The added half keeps rounding from moving a power of two below its logarithm.
        digits = ops.floor(ops.log(ops.maximum(beyond, 1.0) + 0.5) / math.log(2))
        least = 2.0**-PRECISION
        return ops.where(
            beyond > 0,
            ops.maximum(escape, least) * ops.exp(-2 * math.log(2) * (digits + 1)),
            ops.maximum(self.likelihood(integers, indexes), least),
        )

    def coding_tables(self, tail_mass=TAIL_MASS, precision=PRECISION):
        """Builds the range coder's tables, one for each scale.

        Computed in float64.

        Args:
            tail_mass: float in (0, 1), the probability left to the escape symbol.
            precision: int from 1 to 16, frequencies sum to 2**precision.

        Returns:
            CodingTables of 64 tables, numbered as `scale_table`.
        """
        scales = self.scale_table
        tail = self.two_sided_quantile(tail_mass) * scales
        first, last = integer_ranges(-tail, tail, precision)
        pmfs = []
        for scale, lowest, highest in zip(scales, first, last, strict=True):
            distance = np.abs(np.arange(lowest, highest + 1))
            nearer = self.exact_upper_tail((distance - 0.5) / scale)
            pmfs.append(nearer - self.exact_upper_tail((distance + 0.5) / scale))
        return CodingTables.from_pmfs(pmfs, first, precision)

    def compute_output_shape(self, input_shape, *_):
        return tuple(input_shape), (input_shape[0],)
