"""What the codec's networks have in common."""

import keras
from keras import ops

from yoto_tf.coefficients import deserialize_coefficients
from yoto_tf.entropy.bits import total_bits
from yoto_tf.entropy.deep_factorized import DeepFactorizedPrior
from yoto_tf.layers import CoefficientEmbedding, FiLM
from yoto_tf.zoo.codec.network.gain import LogGain
from yoto_tf.zoo.codec.network.padding import pad_to_multiple
from yoto_tf.zoo.pixels import CONTRAST


class CodecNetwork(keras.Model):
    """Transforms, gains, a prior, and the embedding of λ that all of them read.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels at each resolution of the analysis; the last are the latents.
        analysis: the analysis transform.
        synthesis: the synthesis transform.
        prior_channels: channels of what the prior describes.
        prior_scale: width of the prior when training starts, in quantisation steps.
        embedding_units: widths of the coefficient embedding.
        conditioned: False leaves FiLM out of the transforms: λ reaches the gains and
            the prior only.

    A class of such networks says in `code_latents` what it codes and how.

    Inputs: {"image": [B, H, W, 3] in [0, 1], "coefficients": [B, 1]}, any H, W ≥ 1.

    Outputs: {"reconstruction": float32 [B, H, W, 3], not clipped to [0, 1];
        "bits": float32 [B], of all that is coded}.

    Attributes:
        coding: the `NetworkCoding` of such networks, a class.
        precise_layers: beginnings of the names of layers whose kernels a release does
            not keep in 8 bits.
    """

    coding: type
    precise_layers = ()

    def __init__(
        self,
        coefficients,
        filters,
        analysis,
        synthesis,
        prior_channels,
        prior_scale,
        embedding_units,
        conditioned,
        **kwargs,
    ):
        # Pixels have eight bits, one more than bfloat16 holds.
        super().__init__(autocast=False, **kwargs)
        self.coefficients = coefficients
        self.filters = tuple(filters)
        self.prior_channels = prior_channels
        self.embedding_units = tuple(embedding_units)
        self.conditioned = conditioned
        # Stored weights are found by these names.
        self.embedding = CoefficientEmbedding(
            coefficients, embedding_units, name="embedding"
        )
        self.analysis = analysis
        self.synthesis = synthesis
        self.log_gain = LogGain(self.filters[-1], name="log_gain")
        self.log_inverse_gain = LogGain(self.filters[-1], name="log_inverse_gain")
        self.prior_film = FiLM(
            kernel_initializer="zeros", dtype="float32", name="prior_film"
        )
        self.prior = DeepFactorizedPrior(init_scale=prior_scale, name="prior")

    def build(self, input_shape=None):
        coefficients = (None, len(self.coefficients))
        self.embedding.build(coefficients)
        embedding = self.embedding.compute_output_shape(coefficients)
        latents = (None, None, None, self.filters[-1])
        self.analysis.build((None, None, None, 3), embedding)
        self.synthesis.build(latents, embedding)
        self.log_gain.build(embedding)
        self.log_inverse_gain.build(embedding)
        described = (None, None, None, self.prior_channels)
        self.prior_film.build(described, embedding)
        self.prior.build(described)
        self.built = True

    def call(self, inputs, training=None):
        image = inputs["image"]
        height, width = ops.shape(image)[1:3]
        embedding = self.embedding(inputs["coefficients"])
        latents = self.analyze(pad_to_multiple(image, self.multiple), embedding)
        quantized, bits = self.code_latents(latents, embedding, training)
        reconstruction = self.synthesize(quantized, embedding)
        return {"reconstruction": reconstruction[:, :height, :width], "bits": bits}

    def code_latents(self, latents, embedding, training=None):
        """Rounds latents and counts their bits.

        Args:
            latents: float32 [B, h, w, C] before the gain.
            embedding: [B, E].
            training: whether bits are those of values with noise in place of rounding,
                and gradients pass through the rounding.

        Returns:
            Quantised latents after the gain, [B, h, w, C], and bits, float32 [B].
        """
        raise NotImplementedError

    def relax(self, codes, embedding, rounding):
        """Quantised latents and bits, with a function in place of rounding.

        Args:
            codes: float32 arrays to be rounded, one for each code. The last holds the
                latents after the gain.
            embedding: [B, E].
            rounding: graph of values to values that have a gradient.

        Returns:
            As `code_latents`.
        """
        raise NotImplementedError

    def relax_under_prior(self, values, embedding, rounding):
        """As `quantize_under_prior`, with a function in place of rounding."""
        rounded = rounding(values)
        modulation = self.prior_film.scale_and_shift(embedding)
        return rounded, total_bits(self.prior.likelihood(rounded, *modulation))

    @property
    def multiple(self):
        """Pixels of which a side must be a multiple, the size of the first code."""
        return self.coding.symbol_coding.codes[0].side

    def analyze(self, image, embedding):
        """Padded image to latents [B, h, w, C] before the gain, float32."""
        image = (ops.cast(image, "float32") - 0.5) * CONTRAST
        return ops.cast(self.analysis(image, embedding), "float32")

    def scale(self, latents, embedding):
        """Latents or their means, [B, h, w, C], times the gain: ready to be rounded."""
        return latents * self.log_gain.factors(embedding)

    def inverse_gain(self, embedding):
        """What quantised latents are multiplied by, float32 [B, 1, 1, C]."""
        return self.log_inverse_gain.factors(embedding)

    def quantize_under_prior(self, values, embedding, training=None):
        """Rounds what the prior describes, [B, h, w, N], and counts its bits, [B]."""
        modulation = self.prior_film.scale_and_shift(embedding)
        rounded, bits = self.prior(values, *modulation, training=training)
        return self.quantize_in_training(values) if training else rounded, bits

    def synthesize(self, quantized, embedding):
        """Rounded latents to an image [B, 16h, 16w, 3], about [0, 1], float32."""
        latents = quantized * self.inverse_gain(embedding)
        image = self.synthesis(latents, embedding)
        return ops.cast(image, "float32") * (1 / CONTRAST) + 0.5

    def quantize_in_training(self, values):
        """What the transforms see in training in place of rounded values.

        Real rounding, whose gradient is taken to be that of the identity; the rate
        alone is counted with noise: Minnen & Singh, "Channel-wise Autoregressive
        Entropy Models", ICIP 2020.
        """
        return values + ops.stop_gradient(ops.round(values) - values)

    def prior_tables(self, vectors):
        """The range coder's tables for what the prior describes.

        Args:
            vectors: float32 [L, 1], raw coefficients.

        Returns:
            `yoto_tf.entropy.CodingTables`, L · C of them: all channels at the first
            vector, then all at the second.
        """
        embedding = self.embedding(ops.convert_to_tensor(vectors))
        modulation = self.prior_film.scale_and_shift(embedding)
        return self.prior.coding_tables(*map(ops.convert_to_numpy, modulation))

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
        coefficients = deserialize_coefficients(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})


def channelwise(factors):
    """[B, C] to [B, 1, 1, C]."""
    return factors[:, None, None, :]
