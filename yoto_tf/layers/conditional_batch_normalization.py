import keras
from keras import layers

from yoto_tf.layers.film import FiLM


@keras.saving.register_keras_serializable(package="yoto_tf")
class ConditionalBatchNormalization(layers.Layer):
    """Batch normalisation whose scale and offset come from an embedding.

        y = γ(e) · (x − mean) / sqrt(var + epsilon) + β(e)

    The moving statistics are shared by all coefficients; γ and β start near 1 and 0
    (see `FiLM`).

    Args:
        strength: how far from plain batch normalisation the layer starts, ≥ 0.
        momentum: of the moving statistics, in [0, 1).
        epsilon: added to the variance, > 0.

    Inputs: features [B, ..., C], embedding [B, E]. Output: as the features, in the
    layer's compute dtype; the embedding stays in float32.

    Reference: de Vries et al., "Modulating early visual processing by language",
    NeurIPS 2017.
    """

    def __init__(self, strength=0.1, momentum=0.99, epsilon=1e-3, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.strength = strength
        self.momentum = momentum
        self.epsilon = epsilon
        self.film = FiLM(strength, dtype=self.dtype_policy)
        self.normalization = layers.BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            dtype=self.dtype_policy,
        )

    def build(self, inputs_shape, embedding_shape):
        self.normalization.build(inputs_shape)
        self.film.build(inputs_shape, embedding_shape)

    def call(self, inputs, embedding, training=None):
        return self.film(self.normalization(inputs, training=training), embedding)

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "strength": self.strength,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }
