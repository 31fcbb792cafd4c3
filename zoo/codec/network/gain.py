"""The quantisation step as a function of the coefficients."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class LogGain(layers.Layer):
    """The logarithm of a positive gain per latent channel, from the embedding.

    A latent is multiplied by its gain before rounding and divided by a gain after it,
    which sets its quantisation step: the "gain units" of Cui et al., "Asymmetric Gained
    Deep Image Compression With Continuous Rate Adaptation", CVPR 2021, as a function of
    the coefficient instead of a table.

        log gain = strength · (W e + b)

    Args:
        channels: number of latent channels C.
        strength: slows the gains down, which read the whole embedding, against the
            convolutions they follow; > 0.

    Input: embedding [B, E]. Output: float32 [B, C].
    """

    def __init__(self, channels, strength=0.1, **kwargs):
        super().__init__(autocast=False, dtype="float32", **kwargs)
        self.channels = channels
        self.strength = strength
        self.dense = layers.Dense(
            channels, kernel_initializer="zeros", dtype="float32", name="dense"
        )

    def build(self, embedding_shape):
        self.dense.build(embedding_shape)

    def call(self, embedding):
        return self.strength * self.dense(ops.cast(embedding, "float32"))

    def factors(self, embedding):
        """The gains themselves, to multiply maps by: float32 [B, 1, 1, C]."""
        return ops.exp(self(embedding))[:, None, None, :]

    def compute_output_shape(self, embedding_shape):
        return (*embedding_shape[:-1], self.channels)

    def get_config(self):
        return {"name": self.name, "channels": self.channels, "strength": self.strength}
