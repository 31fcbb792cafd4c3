"""Encoder and decoder of the β-VAE, each conditioned on the coefficient embedding.

    block    conv 3×3 · act · conv 3×3 · FiLM · act, one of the two strided
    encoder  block/2 × n, flatten, dense · act, dense           mean and deviation
    decoder  dense · act, dense, unflatten, block·2 × n, conv 3×3   the likelihood

They are those of the authors' code, down to the initial weights: the encoder's last
block has no activation at its end, the strided convolution is the first of a block in
the encoder and the second in the decoder, and the dense layers are not conditioned.
"""

import math

import keras
from keras import layers, ops

from yoto_tf.layers import FiLM

_CONVOLUTION_SLOPE = 0.3
_DENSE_SLOPE = 0.2


def _convolution(kind, filters, strides, name, **options):
    gain = 2 / (1 + _CONVOLUTION_SLOPE**2)
    return kind(
        filters,
        3,
        strides,
        padding="same",
        kernel_initializer=keras.initializers.VarianceScaling(gain, "fan_avg"),
        name=name,
        **options,
    )


def _dense(units, name, **options):
    return layers.Dense(
        units,
        kernel_initializer=keras.initializers.VarianceScaling(2.0),
        name=name,
        **options,
    )


class _Block(layers.Layer):
    """Two convolutions, with FiLM before the second one's activation.

    Args:
        convolutions: the two, without activation.
        film_units: see `Encoder`.
        activated: whether the second one has an activation.
    """

    def __init__(self, convolutions, film_units, activated=True, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.first, self.second = convolutions
        self.film = None
        if film_units is not None:
            self.film = FiLM(hidden_units=film_units, name="film")
        self.activation = layers.LeakyReLU(_CONVOLUTION_SLOPE, name="activation")
        self.activated = activated

    def build(self, inputs_shape, embedding_shape):
        self.first.build(inputs_shape)
        inner_shape = self.first.compute_output_shape(inputs_shape)
        self.second.build(inner_shape)
        if self.film is not None:
            outputs_shape = self.second.compute_output_shape(inner_shape)
            self.film.build(outputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        features = self.second(self.activation(self.first(inputs)))
        if self.film is not None:
            features = self.film(features, embedding)
        return self.activation(features) if self.activated else features

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return self.second.compute_output_shape(
            self.first.compute_output_shape(inputs_shape)
        )


class Encoder(layers.Layer):
    """Image [B, H, W, C] and embedding to two numbers a latent, float32 [B, 2D].

    Args:
        channels: of each block; H and W are halved by each.
        hidden_units: width of the hidden dense layer.
        latents: D.
        film_units: width of the hidden layers of FiLM's two perceptrons; None for an
            encoder without conditioning.
    """

    def __init__(self, channels, hidden_units, latents, film_units=None, **kwargs):
        # The embedding keeps its precision; the convolutions cast what they are given.
        super().__init__(autocast=False, **kwargs)
        self.blocks = [
            _Block(
                [
                    _convolution(layers.Conv2D, count, 2, "first"),
                    _convolution(layers.Conv2D, count, 1, "second"),
                ],
                film_units,
                activated=position < len(channels) - 1,
                name=f"block_{position}",
            )
            for position, count in enumerate(channels)
        ]
        self.flatten = layers.Flatten(name="flatten")
        self.hidden = _dense(hidden_units, "hidden")
        self.activation = layers.LeakyReLU(_DENSE_SLOPE, name="activation")
        self.posterior = _dense(2 * latents, "posterior", dtype="float32")

    def build(self, inputs_shape, embedding_shape):
        for block in self.blocks:
            block.build(inputs_shape, embedding_shape)
            inputs_shape = block.compute_output_shape(inputs_shape, embedding_shape)
        self.hidden.build((None, math.prod(inputs_shape[1:])))
        self.posterior.build((None, self.hidden.units))

    def call(self, image, embedding):
        features = image
        for block in self.blocks:
            features = block(features, embedding)
        features = self.hidden(self.flatten(features))
        return self.posterior(self.activation(features))

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return (inputs_shape[0], self.posterior.units)


class Decoder(layers.Layer):
    """Latents [B, D] and embedding to the likelihood's numbers, float32 [B, H, W, P].

    Args:
        size: (H, W), multiples of 2 to the power of the number of blocks.
        parameters: P.
        channels: of the encoder's blocks; they are used in reverse.
        hidden_units: width of the hidden dense layer.
        film_units: see `Encoder`.
    """

    def __init__(
        self, size, parameters, channels, hidden_units, film_units=None, **kwargs
    ):
        super().__init__(autocast=False, **kwargs)
        reduction = 2 ** len(channels)
        self.inner_shape = (*(side // reduction for side in size), channels[-1])
        self.hidden = _dense(hidden_units, "hidden")
        self.activation = layers.LeakyReLU(_DENSE_SLOPE, name="activation")
        self.features = _dense(math.prod(self.inner_shape), "features")
        self.blocks = [
            _Block(
                [
                    _convolution(layers.Conv2DTranspose, count, 1, "first"),
                    _convolution(layers.Conv2DTranspose, count, 2, "second"),
                ],
                film_units,
                name=f"block_{position}",
            )
            for position, count in enumerate(reversed(channels))
        ]
        # Eight bits of mantissa would be seen in the picture.
        self.likelihood = _convolution(
            layers.Conv2D, parameters, 1, "likelihood", dtype="float32"
        )

    def build(self, inputs_shape, embedding_shape):
        self.hidden.build(inputs_shape)
        self.features.build((None, self.hidden.units))
        shape = (None, *self.inner_shape)
        for block in self.blocks:
            block.build(shape, embedding_shape)
            shape = block.compute_output_shape(shape, embedding_shape)
        self.likelihood.build(shape)

    def call(self, latents, embedding):
        features = self.features(self.activation(self.hidden(latents)))
        features = ops.reshape(features, (-1, *self.inner_shape))
        for block in self.blocks:
            features = block(features, embedding)
        return self.likelihood(features)

    def compute_output_shape(self, inputs_shape, embedding_shape):
        height, width, _ = self.inner_shape
        scale = 2 ** len(self.blocks)
        return (
            inputs_shape[0],
            scale * height,
            scale * width,
            self.likelihood.filters,
        )
