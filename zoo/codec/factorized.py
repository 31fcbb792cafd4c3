"""The factorised-prior codec, conditioned on λ throughout.

    image ─ analysis ─ × gain ─ round ─ ÷ gain' ─ synthesis ─ image
                                 │
                  a learned density per channel and λ

Reference: Ballé, Laparra & Simoncelli, "End-to-end Optimized Image Compression", ICLR
2017, with the prior of Ballé et al., ICLR 2018.
"""

import keras
from keras import ops

from yoto_tf.entropy import DeepFactorizedPrior
from yoto_tf.layers import CoefficientEmbedding, FiLM
from yoto_tf.zoo.codec.gain import LogGain
from yoto_tf.zoo.codec.hyperprior import (
    CONTRAST,
    channelwise,
    straight_through_round,
)
from yoto_tf.zoo.codec.padding import pad_to_multiple
from yoto_tf.zoo.codec.transforms import Analysis, Synthesis


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class FactorizedPrior(keras.Model):
    """Image and coefficients to a reconstruction and the bits it takes.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels after each strided convolution of the analysis; the last is
            the number of latent channels.
        embedding_units: widths of the coefficient embedding.
        conditioned: False leaves out FiLM: a network for one fixed λ.

    Inputs: {"image": [B, H, W, 3] in [0, 1], "coefficients": [B, 1]}, any H, W ≥ 1.

    Outputs: {"reconstruction": float32 [B, H, W, 3], not clipped to [0, 1];
        "bits": float32 [B]}.
    """

    multiple = 16

    def __init__(
        self,
        coefficients,
        filters=(64, 96, 144, 192),
        embedding_units=(64, 64),
        conditioned=True,
        **kwargs,
    ):
        # Pixels have eight bits, one more than bfloat16 holds.
        super().__init__(autocast=False, **kwargs)
        self.coefficients = coefficients
        self.filters = tuple(filters)
        self.embedding_units = tuple(embedding_units)
        self.conditioned = conditioned
        # Stored weights are found by these names.
        self.embedding = CoefficientEmbedding(
            coefficients, embedding_units, name="embedding"
        )
        self.analysis = Analysis(self.filters, conditioned, name="analysis")
        self.synthesis = Synthesis(self.filters, conditioned, name="synthesis")
        self.log_gain = LogGain(self.filters[-1], name="log_gain")
        self.log_inverse_gain = LogGain(self.filters[-1], name="log_inverse_gain")
        self.prior_film = FiLM(
            kernel_initializer="zeros", dtype="float32", name="prior_film"
        )
        self.prior = DeepFactorizedPrior(name="prior")

    def build(self, input_shape=None):
        latents = (None, None, None, self.filters[-1])
        coefficients = (None, len(self.coefficients))
        embedding = self.embedding.compute_output_shape(coefficients)
        self.embedding.build(coefficients)
        self.analysis.build((None, None, None, 3), embedding)
        self.synthesis.build(latents, embedding)
        self.log_gain.build(embedding)
        self.log_inverse_gain.build(embedding)
        self.prior_film.build(latents, embedding)
        self.prior.build(latents)
        self.built = True

    def call(self, inputs, training=None):
        image = inputs["image"]
        height, width = ops.shape(image)[1:3]
        embedding = self.embedding(inputs["coefficients"])
        latents = self.analyze(pad_to_multiple(image, self.multiple), embedding)
        scaled = latents * channelwise(ops.exp(self.log_gain(embedding)))
        quantized, bits = self.prior(
            scaled, *self.prior_film.scale_and_shift(embedding), training=training
        )
        if training:
            quantized = straight_through_round(scaled)
        reconstruction = self.synthesize(quantized, embedding)
        return {"reconstruction": reconstruction[:, :height, :width], "bits": bits}

    def analyze(self, image, embedding):
        """Padded image to latents [B, h, w, C] before the gain, float32."""
        image = (ops.cast(image, "float32") - 0.5) * CONTRAST
        return ops.cast(self.analysis(image, embedding), "float32")

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
            "embedding_units": self.embedding_units,
            "conditioned": self.conditioned,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = keras.saving.deserialize_keras_object(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})
