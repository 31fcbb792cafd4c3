"""The mean-and-scale hyperprior codec, conditioned on λ throughout.

    image ─ analysis ─ × gain ─┬─ − mean ─ round ─ + mean ─ ÷ gain' ─ synthesis ─ image
                │              │      ▲        ▲
                │              │    mean   scale index
                │              │      └──┬─────┘
                └ hyper-analysis ─ round ─ hyper-synthesis (one tower for each)

References: Ballé et al., "Variational image compression with a scale hyperprior", ICLR
2018; Minnen, Ballé & Toderici, "Joint Autoregressive and Hierarchical Priors for
Learned Image Compression", NeurIPS 2018 (the mean).
"""

import math

import keras
from keras import ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.entropy import DeepFactorizedPrior, GaussianConditional
from yoto_tf.entropy.gaussian_conditional import LOG_STEP, MIN_SCALE
from yoto_tf.layers import CoefficientEmbedding, FiLM
from yoto_tf.zoo.codec.gain import LogGain
from yoto_tf.zoo.codec.padding import pad_to_multiple
from yoto_tf.zoo.codec.transforms import (
    Analysis,
    HyperAnalysis,
    HyperSynthesis,
    Synthesis,
)

# Pixels in [0, 1] enter the analysis as (x − 0.5) · CONTRAST, about unit variance.
CONTRAST = 4.0


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class Hyperprior(keras.Model):
    """Image and coefficients to a reconstruction and the bits it takes.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels after each strided convolution of the analysis; the last is
            the number of latent channels.
        hyper_filters: channels of the hyper-transforms.
        embedding_units: widths of the coefficient embedding.
        conditioned: False leaves out all that reads the embedding, gains excepted:
            a network for one fixed λ.

    Inputs: {"image": [B, H, W, 3] in [0, 1], "coefficients": [B, 1]}, any H, W ≥ 1.

    Outputs: {"reconstruction": float32 [B, H, W, 3], not clipped to [0, 1];
        "bits": float32 [B], of latents and hyper-latents together}.
    """

    multiple = 64

    def __init__(
        self,
        coefficients,
        filters=(64, 96, 144, 192),
        hyper_filters=96,
        embedding_units=(64, 64),
        conditioned=True,
        **kwargs,
    ):
        # Pixels have eight bits, one more than bfloat16 holds.
        super().__init__(autocast=False, **kwargs)
        self.coefficients = coefficients
        self.filters = tuple(filters)
        self.hyper_filters = hyper_filters
        self.embedding_units = tuple(embedding_units)
        self.conditioned = conditioned
        latents = self.filters[-1]
        # Stored weights are found by these names.
        self.embedding = CoefficientEmbedding(
            coefficients, embedding_units, name="embedding"
        )
        self.analysis = Analysis(self.filters, conditioned, name="analysis")
        self.synthesis = Synthesis(self.filters, conditioned, name="synthesis")
        self.hyper_analysis = HyperAnalysis(
            hyper_filters, conditioned, name="hyper_analysis"
        )
        self.mean_synthesis = HyperSynthesis(
            hyper_filters, latents, conditioned, name="mean_synthesis"
        )
        self.scale_synthesis = HyperSynthesis(
            hyper_filters, latents, conditioned, name="scale_synthesis"
        )
        self.log_gain = LogGain(latents, name="log_gain")
        self.log_inverse_gain = LogGain(latents, name="log_inverse_gain")
        self.hyper_log_gain = LogGain(hyper_filters, name="hyper_log_gain")
        self.prior_film = FiLM(
            kernel_initializer="zeros", dtype="float32", name="prior_film"
        )
        self.prior = DeepFactorizedPrior(init_scale=2.0, name="prior")
        self.conditional = GaussianConditional(name="conditional")

    def build(self, input_shape=None):
        image = (None, None, None, 3)
        latents = (None, None, None, self.filters[-1])
        hyper_latents = (None, None, None, self.hyper_filters)
        coefficients = (None, len(self.coefficients))
        embedding = self.embedding.compute_output_shape(coefficients)
        self.embedding.build(coefficients)
        self.analysis.build(image, embedding)
        self.synthesis.build(latents, embedding)
        self.hyper_analysis.build(latents, embedding)
        self.mean_synthesis.build(hyper_latents, embedding)
        self.scale_synthesis.build(hyper_latents, embedding)
        for gain in (self.log_gain, self.log_inverse_gain, self.hyper_log_gain):
            gain.build(embedding)
        self.prior_film.build(hyper_latents, embedding)
        self.prior.build(hyper_latents)
        self.conditional.build(latents, latents)
        self.built = True

    def call(self, inputs, training=None):
        image = inputs["image"]
        height, width = ops.shape(image)[1:3]
        embedding = self.embedding(inputs["coefficients"])
        latents = self.analyze(pad_to_multiple(image, self.multiple), embedding)
        hyper_latents, bits = self.prior(
            self.hyper_analyze(latents, embedding),
            *self.prior_film.scale_and_shift(embedding),
            training=training,
        )
        rounded = straight_through_round(hyper_latents) if training else hyper_latents
        mean = self.mean(rounded, embedding)
        index = self.scale_index(rounded, embedding)
        scaled = latents * channelwise(ops.exp(self.log_gain(embedding)))
        quantized, latent_bits = self.conditional(
            scaled, index, mean, training=training
        )
        if training:
            # Rate from noise, distortion from real rounding: Minnen & Singh,
            # "Channel-wise Autoregressive Entropy Models", ICIP 2020.
            quantized = straight_through_round(scaled - mean) + mean
        reconstruction = self.synthesize(quantized, embedding)
        return {
            "reconstruction": reconstruction[:, :height, :width],
            "bits": bits + latent_bits,
        }

    def analyze(self, image, embedding):
        """Padded image to latents [B, h, w, C] before the gain, float32."""
        image = (ops.cast(image, "float32") - 0.5) * CONTRAST
        return ops.cast(self.analysis(image, embedding), "float32")

    def hyper_analyze(self, latents, embedding):
        """Latents to hyper-latents [B, h/4, w/4, N] before rounding, float32."""
        hyper_latents = ops.cast(self.hyper_analysis(latents, embedding), "float32")
        return hyper_latents * channelwise(ops.exp(self.hyper_log_gain(embedding)))

    def mean(self, hyper_latents, embedding):
        """Rounded hyper-latents to means after the gain, float32 [B, h, w, C]."""
        mean = ops.cast(self.mean_synthesis(hyper_latents, embedding), "float32")
        return mean * channelwise(ops.exp(self.log_gain(embedding)))

    def scale_index(self, hyper_latents, embedding):
        """Rounded hyper-latents to places in the scale table, float32 [B, h, w, C].

        The tower speaks of latents before the gain. What the coder uses is the same in
        integers, see `IntegerScales`.
        """
        log_scale = ops.cast(self.scale_synthesis(hyper_latents, embedding), "float32")
        log_scale = log_scale + channelwise(self.log_gain(embedding))
        return (log_scale - math.log(MIN_SCALE)) / LOG_STEP

    def synthesize(self, quantized, embedding):
        """Rounded latents to an image [B, 16h, 16w, 3], about [0, 1], float32."""
        inverse = channelwise(ops.exp(self.log_inverse_gain(embedding)))
        image = self.synthesis(quantized * inverse, embedding)
        return ops.cast(image, "float32") * (1 / CONTRAST) + 0.5

    def get_config(self):
        return {
            "name": self.name,
            "coefficients": keras.saving.serialize_keras_object(self.coefficients),
            "filters": self.filters,
            "hyper_filters": self.hyper_filters,
            "embedding_units": self.embedding_units,
            "conditioned": self.conditioned,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = keras.saving.deserialize_keras_object(config["coefficients"])
        assert isinstance(coefficients, Coefficients)
        return cls(**{**config, "coefficients": coefficients})


def straight_through_round(values):
    """Rounds halves to even; the gradient is that of the identity."""
    return values + ops.stop_gradient(ops.round(values) - values)


def channelwise(factors):
    """[B, C] to [B, 1, 1, C]."""
    return factors[:, None, None, :]
