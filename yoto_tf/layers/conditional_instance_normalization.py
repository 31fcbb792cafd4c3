import keras
from keras import layers, ops

from yoto_tf.layers.film import FiLM
from yoto_tf.machine.compilation import runs_here


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
    Output: as the features, in the layer's compute dtype. Under a mixed policy all is
    computed in float32 and rounded once, at the end.

    Raises:
        ValueError: features without a spatial axis.

    References: Dumoulin et al., "A Learned Representation for Artistic Style", ICLR
    2017; Babaeizadeh & Ghiasi, "Adjustable Real-time Style Transfer", ICLR 2020.
    """

    def __init__(self, strength=0.1, epsilon=1e-5, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.strength = strength
        self.epsilon = epsilon
        self.film = FiLM(strength, dtype=self.dtype_policy)

    def build(self, inputs_shape, embedding_shape):
        if len(inputs_shape) < 3:
            raise ValueError(
                "features need a spatial axis, [batch, ..., channels]. "
                f"Received: shape={tuple(inputs_shape)}"
            )
        self.film.build(inputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        scale, shift = self.film.scale_and_shift(embedding)
        if _fits_the_fused_kernel(inputs):
            outputs = _fused(inputs, scale, shift, self.epsilon)
            return ops.cast(outputs, self.compute_dtype)
        # A mean over a megapixel does not fit into bfloat16.
        features = ops.cast(inputs, "float32")
        axes = tuple(range(1, len(inputs.shape) - 1))
        mean, variance = ops.moments(features, axes, keepdims=True)
        shape = (-1, *(1,) * len(axes), inputs.shape[-1])
        scale = ops.reshape(scale, shape) * ops.rsqrt(variance + self.epsilon)
        shift = ops.reshape(shift, shape) - mean * scale
        return ops.cast(scale * features + shift, self.compute_dtype)

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape

    def get_config(self):
        return {
            **super().get_config(),
            "strength": self.strength,
            "epsilon": self.epsilon,
        }


def _fits_the_fused_kernel(features):
    return (
        keras.backend.backend() == "tensorflow"
        # TensorFlow.js would take the moments of no batch at all.
        and runs_here()
        # Of any other rank they would have to be reshaped to images, and what follows,
        # a ReLU say, could not be computed with them.
        and len(features.shape) == 4
        and features.shape[0] == 1
        and keras.backend.standardize_dtype(features.dtype) in ("bfloat16", "float32")
    )


def _fused(features, scale, shift, epsilon):
    """A single image by the kernel for batches, whose moments are its own.

    It passes over the features less often than the operations that serve any batch
    have to, and it, too, computes in float32 whatever the features are.
    """
    import tensorflow as tf

    outputs, *_ = tf.raw_ops.FusedBatchNormV3(
        x=features,
        scale=tf.reshape(scale, [-1]),
        offset=tf.reshape(shift, [-1]),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=epsilon,
        is_training=True,
    )
    return outputs
