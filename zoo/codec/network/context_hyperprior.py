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
from yoto_tf.zoo.codec.network.padding import pad_to_multiple


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class ContextHyperprior(ResidualHyperprior):
    """As `ResidualHyperprior`, of whose weights it may start, with a context.

    Args:
        context_filters: channels of the inner maps of the contexts.
        Others: see `ResidualHyperprior`.

    Inputs, outputs: as `Hyperprior`.

    Raises:
        ValueError: see `ResidualHyperprior`, or latent channels that are no multiple of
            four.
    """

    coding = ContextCoding
    ranged_scales = True

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
                f"latent channels must be a multiple of {GROUPS}. "
                f"Received: filters={self.filters}"
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

    def call(self, inputs, training=None):
        image = inputs["image"]
        height, width = ops.shape(image)[1:3]
        embedding = self.embedding(inputs["coefficients"])
        latents = self.analyze(pad_to_multiple(image, self.multiple), embedding)
        hyper_latents = self.hyper_analyze(latents, embedding)
        rounded, bits = self.prior(
            hyper_latents,
            *self.prior_film.scale_and_shift(embedding),
            training=training,
        )
        if training:
            rounded = self.quantize_in_training(hyper_latents)
        quantized, latent_bits = self.code(latents, rounded, embedding, training)
        reconstruction = self.synthesize(quantized, embedding)
        return {
            "reconstruction": reconstruction[:, :height, :width],
            "bits": bits + latent_bits,
        }

    def code(self, latents, hyper_latents, embedding, training=None):
        """Quantises latents under the context and counts their bits.

        Args:
            latents: float32 [B, h, w, C] before the gain.
            hyper_latents: rounded, float32 [B, h/4, w/4, N].
            embedding: [B, E].
            training: whether bits are those of values with noise. Otherwise they are
                those of rounded ones as the coder has them, all of them or without
                those it skips. What is known of earlier passes is rounded in any case.

        Returns:
            Quantised latents after the gain, [B, h, w, C], and bits, float32 [B].
        """
        means = _Means(self, hyper_latents, embedding)
        indexes = _Indexes(self, hyper_latents, embedding)
        quantized, bits, skipping = [], 0.0, 0.0
        for number, values in enumerate(self._scaled(latents, embedding)):
            mean, index = means.of(number), indexes.of(number)
            distance = values - mean
            if training:
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
        return join_passes(quantized), bits if training else ops.minimum(bits, skipping)

    def symbols(self, latents, hyper_latents, embedding):
        """Latents before the gain to symbols, float32 [B, h, w, C] of integers."""
        means = _Means(self, hyper_latents, embedding)
        symbols = []
        for number, values in enumerate(self._scaled(latents, embedding)):
            symbols.append(ops.round(values - means.of(number)))
            means.know(number, symbols[-1])
        return join_passes(symbols)

    def quantized(self, symbols, hyper_latents, embedding):
        """Symbols, float32 [B, h, w, C], to quantised latents after the gain."""
        means = _Means(self, hyper_latents, embedding)
        quantized = []
        for number, values in enumerate(split_passes(symbols)):
            quantized.append(values + means.of(number))
            means.know(number, values)
        return join_passes(quantized)

    def _scaled(self, latents, embedding):
        gain = channelwise(ops.exp(self.log_gain(embedding)))
        return split_passes(latents * gain)

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
        gain = channelwise(ops.exp(network.log_gain(embedding)))
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
