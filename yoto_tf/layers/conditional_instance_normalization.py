import keras
from keras import layers, ops

from yoto_tf.layers.film import FiLM


@keras.saving.register_keras_serializable(package="yoto_tf")
class ConditionalInstanceNormalization(layers.Layer):
    """Instance normalisation whose scale and offset come from an embedding.

        y = γ(e) · (x − mean(x)) / sqrt(var(x) + epsilon) + β(e)

    with the moments taken over the spatial axes of each example and channel, and γ, β
    near 1 and 0 at the start (see `FiLM`).

    Args:
        strength: how far from plain instance normalisation the layer starts, ≥ 0.
        epsilon: added to the variance, > 0.

    Inputs: features [B, ..., C] with at least one spatial axis, embedding [B, E].
    Output: as the features.

    References: Dumoulin et al., "A Learned Representation for Artistic Style", ICLR
    2017; Babaeizadeh & Ghiasi, "Adjustable Real-time Style Transfer", ICLR 2020.
    """

    def __init__(self, strength=0.1, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.strength = strength
        self.epsilon = epsilon
        self.film = FiLM(strength, dtype=self.dtype_policy)

    def build(self, inputs_shape, embedding_shape):
        self.film.build(inputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        # Moments in float32: a mean over a megapixel does not fit into bfloat16.
        features = ops.cast(inputs, "float32")
        axes = tuple(range(1, len(inputs.shape) - 1))
        mean, variance = ops.moments(features, axes, keepdims=True)
        scale, shift = self.film.scale_and_shift(embedding)
        shape = (-1, *(1,) * len(axes), inputs.shape[-1])
        scale = ops.reshape(scale, shape) * ops.rsqrt(variance + self.epsilon)
        shift = ops.reshape(shift, shape) - mean * scale
        return ops.cast(scale, inputs.dtype) * inputs + ops.cast(shift, inputs.dtype)

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "strength": self.strength,
            "epsilon": self.epsilon,
        }
