"""The convolutional β-VAE, conditioned on β.

    image ─ encoder ─ mean, scale ─ mean + scale · noise ─ decoder ─ reconstruction
               │                                              │
               └───────────────── log β ──────────────────────┘

References: Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional Training of
Deep Networks", ICLR 2020, and the code its authors published; Kingma & Welling,
"Auto-Encoding Variational Bayes", ICLR 2014.
"""

import keras
from keras import ops

from yoto_tf.coefficients import deserialize_coefficients
from yoto_tf.layers import CoefficientEmbedding
from yoto_tf.zoo.vae.likelihoods import EPSILON, LIKELIHOODS
from yoto_tf.zoo.vae.transforms import Decoder, Encoder


@keras.saving.register_keras_serializable(package="yoto_tf.vae")
class ConvVAE(keras.Model):
    """Image and coefficients to the posterior of the latents and a reconstruction.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `kl`.
        image_shape: (H, W, C); every block halves H and W.
        channels: of the blocks.
        hidden_units: width of the hidden dense layers.
        latents: number of latents D.
        likelihood: of a pixel: `"gaussian"`, with a deviation for each value, or
            `"bernoulli"`.
        film_units: width of the hidden layers of FiLM's perceptrons; None for a network
            for one fixed β.

    Inputs: {"image": [B, H, W, C] in [0, 1], "coefficients": [B, 1]}.

    Outputs, all float32: {"posterior_mean": [B, D]; "posterior_scale": [B, D], > 0;
        "reconstruction": [B, H, W, C], the mean of the pixels given one sample of the
        posterior, within [0, 1] or, for the Gaussian, about it;
        "reconstruction_scale", their deviation, or "logits": [B, H, W, C]}.
        The sample is drawn in training and in evaluation, whose loss is an expectation
        over it.

    Attributes:
        loss_terms: the function of inputs and outputs that is to be minimised.

    Raises:
        ValueError: an unknown likelihood, or a size that cannot be halved so often.
    """

    def __init__(
        self,
        coefficients,
        image_shape=(32, 32, 3),
        channels=(16, 32, 64),
        hidden_units=512,
        latents=256,
        likelihood="gaussian",
        film_units=512,
        **kwargs,
    ):
        # Pixels have eight bits, one more than bfloat16 holds.
        super().__init__(autocast=False, **kwargs)
        if likelihood not in LIKELIHOODS:
            raise ValueError(
                f"likelihood must be one of {', '.join(LIKELIHOODS)}, "
                f"got likelihood={likelihood}"
            )
        if any(side % 2 ** len(channels) for side in image_shape[:2]):
            raise ValueError(
                f"{len(channels)} blocks need sides that are multiples of "
                f"{2 ** len(channels)}, got image_shape={tuple(image_shape)}"
            )
        self.coefficients = coefficients
        self.image_shape = tuple(image_shape)
        self.channels = tuple(channels)
        self.hidden_units = hidden_units
        self.latents = latents
        self.likelihood = likelihood
        self.film_units = film_units
        self.loss_terms = LIKELIHOODS[likelihood].terms
        *size, colours = self.image_shape
        # Stored weights are found by these names.
        self.embedding = CoefficientEmbedding(coefficients, units=(), name="embedding")
        self.encoder = Encoder(
            self.channels, hidden_units, latents, film_units, name="encoder"
        )
        self.decoder = Decoder(
            size,
            colours * LIKELIHOODS[likelihood].parameters,
            self.channels,
            hidden_units,
            film_units,
            name="decoder",
        )
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape=None):
        coefficients = (None, len(self.coefficients))
        embedding = self.embedding.compute_output_shape(coefficients)
        self.embedding.build(coefficients)
        self.encoder.build((None, *self.image_shape), embedding)
        self.decoder.build((None, self.latents), embedding)
        self.built = True

    def call(self, inputs, training=None):
        embedding = self.embedding(inputs["coefficients"])
        mean, scale = self.encode(inputs["image"], embedding)
        noise = keras.random.normal(
            ops.shape(mean), dtype="float32", seed=self.seed_generator
        )
        return {
            "posterior_mean": mean,
            "posterior_scale": scale,
            **self.decode(mean + scale * noise, embedding),
        }

    def encode(self, image, embedding):
        """Image in [0, 1] to mean and deviation of the latents, each float32 [B, D]."""
        numbers = self.encoder(2.0 * ops.cast(image, "float32") - 1.0, embedding)
        mean, scale = ops.split(numbers, 2, axis=-1)
        return mean, ops.softplus(scale) + EPSILON

    def decode(self, latents, embedding):
        """Latents [B, D] to the outputs that describe pixels, see above."""
        numbers = self.decoder(latents, embedding)
        return LIKELIHOODS[self.likelihood].outputs(numbers)

    def get_config(self):
        return {
            "name": self.name,
            "coefficients": keras.saving.serialize_keras_object(self.coefficients),
            "image_shape": self.image_shape,
            "channels": self.channels,
            "hidden_units": self.hidden_units,
            "latents": self.latents,
            "likelihood": self.likelihood,
            "film_units": self.film_units,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = deserialize_coefficients(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})
