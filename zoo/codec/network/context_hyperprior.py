"""The residual codec's hyperprior with a context of latents that are decoded already.

    in each pass of `quadtree`:
        mean    = the hyperprior's + correction by the symbols known so far
        scale   = the hyperprior's + correction by their magnitudes
        symbols = round(latents − mean), of a quarter of all latents

The mean's context is an ordinary network. That of the scales chooses tables and has to
be the same everywhere: it reads integers only, and the coder has it in integers, see
`IntegerContext`.

Reference: Minnen, Ballé & Toderici, "Joint Autoregressive and Hierarchical Priors for
Learned Image Compression", NeurIPS 2018 (context beside a hyperprior).
"""

import math

import keras
from keras import ops

from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.scale_table import LOG_STEP, MIN_SCALE
from yoto_tf.zoo.codec.coding.context_coding import ContextCoding
from yoto_tf.zoo.codec.coding.integer_context import MAGNITUDE_LIMIT
from yoto_tf.zoo.codec.coding.outliers import OUTLIER_BITS
from yoto_tf.zoo.codec.coding.quadtree import GROUPS, PASSES
from yoto_tf.zoo.codec.network.codec_network import channelwise
from yoto_tf.zoo.codec.network.context import QuadtreeContext, join_passes, split_passes
from yoto_tf.zoo.codec.network.hyperprior import ResidualHyperprior
from yoto_tf.zoo.codec.network.ranged_relu import RangedReLU


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class ContextHyperprior(ResidualHyperprior):
    """As `ResidualHyperprior`, of whose weights it may start, with a context.

    Args:
        context_filters: channels of the inner maps of the contexts.
        Others: see `ResidualHyperprior`.

    Inputs, outputs: see `CodecNetwork`.

    Raises:
        ValueError: see `ResidualHyperprior`, or latent channels that are no multiple of
            four.
    """

    coding = ContextCoding
    scale_activation = RangedReLU

    def __init__(
        self,
        coefficients,
        filters=(96, 192, 320),
        blocks=(1, 2, 2),
        hyper_filters=128,
        embedding_units=(64, 64),
        conditioned=True,
        context_filters=128,
        **kwargs,
    ):
        super().__init__(
            coefficients,
            filters,
            blocks,
            hyper_filters,
            embedding_units,
            conditioned,
            **kwargs,
        )
        latents = self.filters[-1]
        if latents % GROUPS:
            raise ValueError(
                f"latent channels must be a multiple of {GROUPS}, "
                f"got filters={self.filters}"
            )
        self.context_filters = context_filters
        self.mean_context = QuadtreeContext(
            latents, context_filters, conditioned, name="mean_context"
        )
        self.scale_context = QuadtreeContext(
            latents,
            context_filters,
            conditioned,
            ranged=True,
            name="scale_context",
        )

    def build(self, input_shape=None):
        embedding = self.embedding.compute_output_shape((None, len(self.coefficients)))
        features = (None, None, None, self.hyper_filters)
        self.mean_context.build(features, embedding)
        self.scale_context.build(features, embedding)
        super().build(input_shape)

    def code(self, latents, hyper_latents, embedding, training=None, rounding=None):
        """As `HyperpriorNetwork.code`, under the context.

        Bits that are not of a training are those of the smaller of the coder's two
        modes: all symbols are coded, or some are skipped. What is known of earlier
        passes is rounded in training too.
        """
        means = _Means(self, hyper_latents, embedding)
        indexes = _Indexes(self, hyper_latents, embedding)
        quantized, bits, skipping = [], 0.0, 0.0
        scaled = split_passes(self.scale(latents, embedding))
        for number, values in enumerate(scaled):
            mean, index = means.of(number), indexes.of(number)
            distance = values - mean
            if rounding is not None:
                symbols = rounding(distance)
                likelihood = self.conditional.likelihood(symbols, index)
            elif training:
                noise = keras.random.uniform(
                    ops.shape(distance), -0.5, 0.5, seed=self.conditional.seed_generator
                )
                likelihood = self.conditional.likelihood(distance + noise, index)
                symbols = self.quantize_in_training(distance)
            else:
                index, symbols = ops.round(index), ops.round(distance)
                likelihood = self.conditional.coded_likelihood(symbols, index)
                coded = ops.where(symbols == 0, 1.0, 2.0**-OUTLIER_BITS)
                skipping += _bits(ops.where(index > 0, likelihood, coded))
            bits += _bits(likelihood)
            quantized.append(symbols + mean)
            means.know(number, symbols)
            indexes.know(number, symbols)
        if training or rounding is not None:
            return join_passes(quantized), bits
        return join_passes(quantized), ops.minimum(bits, skipping)

    def symbols(self, latents, hyper_latents, embedding):
        means = _Means(self, hyper_latents, embedding)
        symbols = []
        scaled = split_passes(self.scale(latents, embedding))
        for number, values in enumerate(scaled):
            symbols.append(ops.round(values - means.of(number)))
            means.know(number, symbols[-1])
        return join_passes(symbols)

    def quantized(self, symbols, hyper_latents, embedding):
        means = _Means(self, hyper_latents, embedding)
        quantized = []
        for number, values in enumerate(split_passes(symbols)):
            quantized.append(values + means.of(number))
            means.know(number, values)
        return join_passes(quantized)

    def get_config(self):
        return {**super().get_config(), "context_filters": self.context_filters}


class _Means:
    """The means of each pass in turn, after the gain.

    The context reads symbols, and writes corrections, divided by the gain, which is
    what their size follows as λ grows.
    """

    def __init__(self, network, hyper_latents, embedding):
        tower = network.mean_synthesis
        features = tower.features(hyper_latents, embedding)
        gain = network.log_gain.factors(embedding)
        self._means = split_passes(ops.cast(tower.last(features), "float32") * gain)
        self._gains = split_passes(_in_all_classes(gain))
        self._context = network.mean_context
        self._sums = self._context.start(features)
        self._embedding = embedding

    def of(self, number):
        mean = self._means[number]
        if number == 0:
            return mean
        correction = self._context.correction(self._sums, number, self._embedding)
        return mean + correction * self._gains[number]

    def know(self, number, symbols):
        if number < PASSES - 1:
            known = symbols / self._gains[number]
            self._sums = self._context.add(self._sums, known, number)


class _Indexes:
    """Places in the scale table of each pass in turn, float32, not yet rounded."""

    def __init__(self, network, hyper_latents, embedding):
        tower = network.scale_synthesis
        features = tower.features(hyper_latents, embedding)
        log_scale = ops.cast(tower.last(features), "float32")
        log_scale = log_scale + channelwise(network.log_gain(embedding))
        self._log_scales = split_passes(log_scale)
        self._context = network.scale_context
        self._sums = self._context.start(features)
        self._embedding = embedding

    def of(self, number):
        log_scale = self._log_scales[number]
        if number:
            log_scale = log_scale + self._context.correction(
                self._sums, number, self._embedding
            )
        return (log_scale - math.log(MIN_SCALE)) / LOG_STEP

    def know(self, number, symbols):
        if number < PASSES - 1:
            # The derivative of the absolute value at zero is none.
            magnitudes = ops.minimum(ops.maximum(symbols, -symbols), MAGNITUDE_LIMIT)
            known = ops.log(1.0 + magnitudes) / math.log(2)
            self._sums = self._context.add(self._sums, known, number)


def _bits(likelihood):
    """Bits of each example of cells [4, B, h/2, w/2, C/4]: [B]."""
    return total_bits(ops.swapaxes(likelihood, 0, 1))


def _in_all_classes(factors):
    """[B, 1, 1, C] to [B, 2, 2, C]."""
    pair = ops.concatenate([factors, factors], axis=1)
    return ops.concatenate([pair, pair], axis=2)
