"""A learned univariate density per channel: the prior of latents without a hyperprior.

Ballé et al., "Variational image compression with a scale hyperprior", ICLR 2018,
appendix 6.1, in the parametrisation of TensorFlow Compression.
"""

import itertools
import math

import keras
import numpy as np
from keras import ops

from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.coding_tables import CodingTables, integer_ranges
from yoto_tf.entropy.factorized_cumulative import FactorizedCumulative


@keras.saving.register_keras_serializable(package="yoto_tf")
class DeepFactorizedPrior(keras.layers.Layer):
    """Fully factorised prior with one trainable density per channel (last axis).

    The cumulative c of each channel is a small monotonic network with the layers
    `h -> g(softplus(H) h + b)`, `g(h) = h + tanh(a) tanh(h)`, and a sigmoid at the end.
    The likelihood of x is the density convolved with a unit-width uniform density,

        p(x) = c(scale (x + 1/2) + shift) - c(scale (x - 1/2) + shift),

    where `scale` and `shift` are 1 and 0 unless given: computed from loss coefficients,
    they condition the prior on these.

    All arithmetic is float32 whatever the dtype policy.

    Args:
        init_scale: width of the density at initialisation, in quantisation steps.
            Values should lie well inside of it when training starts.
        num_filters: widths of the hidden layers of the cumulative.
    """

    def __init__(self, init_scale=10.0, num_filters=(3, 3, 3), **kwargs):
        # bfloat16 cannot represent probabilities: the policy of the rest of the model
        # does not apply here.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.init_scale = float(init_scale)
        self.num_filters = tuple(int(width) for width in num_filters)
        if not self.init_scale > 0:
            raise ValueError(f"init_scale must be positive, got {init_scale}")
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape, *_):
        channels = input_shape[-1]
        widths = (1, *self.num_filters, 1)
        scale = self.init_scale ** (1 / (len(widths) - 1))
        self.matrices, self.biases, self.factors = [], [], []
        for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths)):
            self.matrices.append(
                self.add_weight(
                    name=f"matrix_{i}",
                    shape=(channels, fan_out, fan_in),
                    initializer=keras.initializers.Constant(
                        math.log(math.expm1(1 / scale / fan_out))
                    ),
                )
            )
            self.biases.append(
                self.add_weight(
                    name=f"bias_{i}",
                    shape=(channels, fan_out, 1),
                    initializer=keras.initializers.RandomUniform(-0.5, 0.5),
                )
            )
            if i < len(self.num_filters):
                self.factors.append(
                    self.add_weight(
                        name=f"factor_{i}",
                        shape=(channels, fan_out, 1),
                        initializer="zeros",
                    )
                )
        self.built = True

    def call(self, inputs, scale=None, shift=None, training=None):
        """Quantises, or adds noise in its place, and counts bits.

        Args:
            inputs: float tensor [B, ..., C].
            scale: None or positive float tensor [B, C].
            shift: None or float tensor [B, C].
            training: if true, uniform noise in [-1/2, 1/2) is added; otherwise values
                are rounded, halves to even.

        Returns:
            A tuple of the perturbed or rounded inputs, float32 [B, ..., C], and the
            bits of each example, float32 [B].
        """
        if training:
            outputs = inputs + keras.random.uniform(
                ops.shape(inputs), -0.5, 0.5, dtype="float32", seed=self.seed_generator
            )
        else:
            outputs = ops.round(inputs)
        return outputs, total_bits(self.likelihood(outputs, scale, shift))

    def likelihood(self, x, scale=None, shift=None):
        """The probability mass of the unit interval around each value.

        Args:
            x: float32 tensor [B, ..., C].
            scale: None or positive float32 tensor [B, C].
            shift: None or float32 tensor [B, C].

        Returns:
            float32 tensor [B, ..., C] with values in [0, 1].
        """
        shape = ops.shape(x)
        channels = x.shape[-1]
        per_example = (-1, *[1] * (len(x.shape) - 2), channels)
        half = 0.5
        if scale is not None:
            scale = ops.reshape(scale, per_example)
            x = x * scale
            half = 0.5 * scale
        if shift is not None:
            x = x + ops.reshape(shift, per_example)
        edges = ops.reshape(ops.stack([x - half, x + half]), (-1, channels))
        logits = self._logits_cumulative(ops.transpose(edges))
        lower, upper = ops.split(ops.transpose(logits), 2)
        # Differences of values near one lose all precision: take them in the left tail,
        # where the sigmoid is small. The sign only selects, it has no gradient.
        sign = ops.where(lower + upper > 0, -1.0, 1.0)
        mass = sign * (ops.sigmoid(sign * upper) - ops.sigmoid(sign * lower))
        return ops.reshape(mass, shape)

    def _logits_cumulative(self, x):
        """Logits of the cumulative of each channel at [C, N] points, as [C, N]."""
        logits = ops.expand_dims(x, 1)
        for i, (matrix, bias) in enumerate(
            zip(self.matrices, self.biases, strict=True)
        ):
            logits = ops.matmul(ops.softplus(matrix), logits) + bias
            if i < len(self.factors):
                logits = logits + ops.tanh(self.factors[i]) * ops.tanh(logits)
        return ops.squeeze(logits, 1)

    def coding_tables(self, scale=None, shift=None, tail_mass=2**-12, precision=16):
        """Builds the range coder's tables, one for each level and channel.

        Computed in float64. With a tail mass of 2**-8 and a precision of 12 they are
        TensorFlow Compression's own.

        Args:
            scale: None or positive float array [L, C], a row for each of L levels of
                the coefficients.
            shift: None or float array [L, C].
            tail_mass: float in (0, 1), the probability left to the escape symbol.
            precision: int from 1 to 16, frequencies sum to 2**precision.

        Returns:
            CodingTables, with number level * C + channel for a channel at a level (L is
            1 where neither scale nor shift is given).
        """
        cumulative = FactorizedCumulative(
            *(
                [ops.convert_to_numpy(weight) for weight in weights]
                for weights in (self.matrices, self.biases, self.factors)
            )
        )
        one_level = np.zeros((1, cumulative.channels))
        scale = one_level + 1 if scale is None else np.asarray(scale, "float64")
        shift = one_level if shift is None else np.asarray(shift, "float64")
        scale, shift = np.broadcast_arrays(scale, shift)
        tail_logit = math.log(tail_mass / 2) - math.log1p(-tail_mass / 2)
        first, last = integer_ranges(
            (cumulative.quantile(tail_logit) - shift) / scale,
            (cumulative.quantile(-tail_logit) - shift) / scale,
            precision,
        )
        pmfs = []
        for level in range(len(scale)):
            longest = (last[level] - first[level]).max() + 1
            x = first[level] + np.arange(longest)[:, None]
            pmf = cumulative.mass(
                scale[level] * (x - 0.5) + shift[level],
                scale[level] * (x + 0.5) + shift[level],
            )
            lengths = last[level] - first[level] + 1
            pmfs += [pmf[:n, channel] for channel, n in enumerate(lengths)]
        return CodingTables.from_pmfs(pmfs, first.ravel(), precision)

    def compute_output_shape(self, input_shape, *_):
        return tuple(input_shape), (input_shape[0],)

    def get_config(self):
        return {
            **super().get_config(),
            "init_scale": self.init_scale,
            "num_filters": list(self.num_filters),
        }
