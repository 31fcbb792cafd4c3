"""The mean-and-scale hyperprior codec, conditioned on λ throughout.

    image ─ analysis ─ × gain ─┬─ − mean ─ round ─ + mean ─ ÷ gain' ─ synthesis ─ image
                │              │      ▲        ▲
                │              │    mean   scale index
                │              │      └──┬─────┘
                └ hyper-analysis ─ round ─ hyper-synthesis (one tower for each)

The density around the mean is Laplace's, not their Gaussian: hyper-latents tell a scale
only roughly, and given a rough scale a latent has heavier tails.

References: Ballé et al., "Variational image compression with a scale hyperprior", ICLR
2018; Minnen, Ballé & Toderici, "Joint Autoregressive and Hierarchical Priors for
Learned Image Compression", NeurIPS 2018 (the mean).
"""

import math

import keras
from keras import layers, ops

from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.laplace_conditional import LaplaceConditional
from yoto_tf.entropy.scale_table import LOG_STEP, MIN_SCALE
from yoto_tf.zoo.codec.coding.hyperprior_coding import HyperpriorCoding
from yoto_tf.zoo.codec.network.codec_network import CodecNetwork, channelwise
from yoto_tf.zoo.codec.network.gain import LogGain
from yoto_tf.zoo.codec.network.residual_transforms import residual_transforms
from yoto_tf.zoo.codec.network.transforms import (
    HyperAnalysis,
    HyperSynthesis,
    leaky_layer,
    strided_transforms,
)


class HyperpriorNetwork(CodecNetwork):
    """A hyperprior between any two transforms; see `Hyperprior` for the arguments.

    Args:
        coefficients: see `Hyperprior`.
        filters: channels at each resolution of the analysis; the last are the latents.
        analysis: the analysis transform.
        synthesis: the synthesis transform.
        hyper_filters, embedding_units, conditioned: see `Hyperprior`.
    """

    coding = HyperpriorCoding
    # What makes the nonlinearities of the towers of means and scales.
    mean_activation = layers.ReLU
    scale_activation = layers.ReLU

    def __init__(
        self,
        coefficients,
        filters,
        analysis,
        synthesis,
        hyper_filters,
        embedding_units,
        conditioned,
        **kwargs,
    ):
        super().__init__(
            coefficients,
            filters,
            analysis,
            synthesis,
            prior_channels=hyper_filters,
            prior_scale=2.0,
            embedding_units=embedding_units,
            conditioned=conditioned,
            **kwargs,
        )
        self.hyper_filters = hyper_filters
        latents = self.filters[-1]
        self.hyper_analysis = HyperAnalysis(
            hyper_filters, conditioned, name="hyper_analysis"
        )
        self.mean_synthesis = HyperSynthesis(
            hyper_filters,
            latents,
            conditioned,
            self.mean_activation,
            name="mean_synthesis",
        )
        self.scale_synthesis = HyperSynthesis(
            hyper_filters,
            latents,
            conditioned,
            self.scale_activation,
            name="scale_synthesis",
        )
        self.hyper_log_gain = LogGain(hyper_filters, name="hyper_log_gain")
        self.conditional = LaplaceConditional(name="conditional")

    def build(self, input_shape=None):
        embedding = self.embedding.compute_output_shape((None, len(self.coefficients)))
        latents = (None, None, None, self.filters[-1])
        hyper_latents = (None, None, None, self.hyper_filters)
        self.hyper_analysis.build(latents, embedding)
        self.mean_synthesis.build(hyper_latents, embedding)
        self.scale_synthesis.build(hyper_latents, embedding)
        self.hyper_log_gain.build(embedding)
        self.conditional.build(latents, latents)
        super().build(input_shape)

    def code_latents(self, latents, embedding, training=None):
        hyper_latents, bits = self.quantize_under_prior(
            self.hyper_analyze(latents, embedding), embedding, training
        )
        quantized, more = self.code(latents, hyper_latents, embedding, training)
        return quantized, bits + more

    def relax(self, codes, embedding, rounding):
        hyper_latents, latents = codes
        hyper_latents, bits = self.relax_under_prior(hyper_latents, embedding, rounding)
        latents = latents / self.log_gain.factors(embedding)
        quantized, more = self.code(
            latents, hyper_latents, embedding, rounding=rounding
        )
        return quantized, bits + more

    def code(self, latents, hyper_latents, embedding, training=None, rounding=None):
        """Quantises latents around their means and counts their bits.

        Args:
            latents: float32 [B, h, w, C] before the gain.
            hyper_latents: rounded, float32 [B, h/4, w/4, N].
            embedding: [B, E].
            training: see `code_latents`.
            rounding: None, or what takes the place of rounding, see `relax`.

        Returns:
            Quantised latents after the gain, [B, h, w, C], and bits, float32 [B].
        """
        mean = self.mean(hyper_latents, embedding)
        index = self.scale_index(hyper_latents, embedding)
        scaled = self.scale(latents, embedding)
        if rounding is not None:
            distance = rounding(scaled - mean)
            bits = total_bits(self.conditional.likelihood(distance, index))
            return distance + mean, bits
        quantized, bits = self.conditional(scaled, index, mean, training=training)
        if training:
            quantized = self.quantize_in_training(scaled - mean) + mean
        return quantized, bits

    def symbols(self, latents, hyper_latents, embedding):
        """Latents before the gain to symbols, float32 [B, h, w, C] of integers."""
        mean = self.mean(hyper_latents, embedding)
        return ops.round(self.scale(latents, embedding) - mean)

    def quantized(self, symbols, hyper_latents, embedding):
        """Symbols, float32 [B, h, w, C], to quantised latents after the gain."""
        return symbols + self.mean(hyper_latents, embedding)

    def hyper_analyze(self, latents, embedding):
        """Latents to hyper-latents [B, h/4, w/4, N] before rounding, float32."""
        hyper_latents = ops.cast(self.hyper_analysis(latents, embedding), "float32")
        return hyper_latents * self.hyper_log_gain.factors(embedding)

    def mean(self, hyper_latents, embedding):
        """Rounded hyper-latents to means after the gain, float32 [B, h, w, C]."""
        mean = ops.cast(self.mean_synthesis(hyper_latents, embedding), "float32")
        return self.scale(mean, embedding)

    def scale_index(self, hyper_latents, embedding):
        """Rounded hyper-latents to places in the scale table, float32 [B, h, w, C].

        The tower speaks of latents before the gain. What the coder uses is the same in
        integers, see `IntegerScales`.
        """
        log_scale = ops.cast(self.scale_synthesis(hyper_latents, embedding), "float32")
        log_scale = log_scale + channelwise(self.log_gain(embedding))
        return (log_scale - math.log(MIN_SCALE)) / LOG_STEP

    def get_config(self):
        return {**super().get_config(), "hyper_filters": self.hyper_filters}


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class Hyperprior(HyperpriorNetwork):
    """Image and coefficients to a reconstruction and the bits it takes.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels after each strided convolution of the analysis; the last is
            the number of latent channels.
        hyper_filters: channels of the hyper-transforms.
        embedding_units: widths of the coefficient embedding.
        conditioned: False leaves FiLM out of the transforms: λ reaches the gains and
            the hyper-latents' prior only.

    Inputs, outputs: see `CodecNetwork`.

    Raises:
        ValueError: not four filters.
    """

    def __init__(
        self,
        coefficients,
        filters=(64, 96, 144, 192),
        hyper_filters=96,
        embedding_units=(64, 64),
        conditioned=True,
        **kwargs,
    ):
        super().__init__(
            coefficients,
            filters,
            *strided_transforms(filters, conditioned),
            hyper_filters,
            embedding_units,
            conditioned,
            **kwargs,
        )


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class ResidualHyperprior(HyperpriorNetwork):
    """As `Hyperprior`, between transforms of residual blocks.

    The learned gain after rounding is relative to 1/gain: each step of the optimiser
    moves both, and at high rates a mismatch of a hundredth would be all of the error.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels at 1/4, 1/8 and 1/16 of the picture's size, even; the last is
            the number of latent channels.
        blocks: residual blocks at each of these sizes.
        hyper_filters: channels of the hyper-transforms.
        embedding_units: widths of the coefficient embedding.
        conditioned: False leaves FiLM out of the transforms.

    Inputs, outputs: see `CodecNetwork`.

    Raises:
        ValueError: not three filters and blocks, or an odd number of filters.
    """

    mean_activation = staticmethod(leaky_layer)
    # Linear, and most of a picture goes through them: at high rates their rounding
    # would be most of the error.
    precise_layers = ("change_",)

    def __init__(
        self,
        coefficients,
        filters=(96, 192, 320),
        blocks=(1, 2, 2),
        hyper_filters=128,
        embedding_units=(64, 64),
        conditioned=True,
        **kwargs,
    ):
        super().__init__(
            coefficients,
            filters,
            *residual_transforms(filters, blocks, conditioned),
            hyper_filters,
            embedding_units,
            conditioned,
            **kwargs,
        )
        self.blocks = tuple(blocks)

    def inverse_gain(self, embedding):
        return super().inverse_gain(embedding) / self.log_gain.factors(embedding)

    def get_config(self):
        return {**super().get_config(), "blocks": self.blocks}
