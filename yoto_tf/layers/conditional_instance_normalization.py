import keras
from keras import layers, ops

from yoto_tf.layers.film import FiLM
from yoto_tf.machine.compilation import is_local_inference

# Relative deviations of a channel up to which they are rounding errors: two units in
# the last place of 16-bit results; more in float32 (2^-12), where errors of many steps
# add up.
_ROUNDING = {"bfloat16": 2.0**-7, "float16": 2.0**-10}
_NEARLY_FLAT = 2.0**-5


@keras.saving.register_keras_serializable(package="yoto_tf")
class ConditionalInstanceNormalization(layers.Layer):
    """Instance normalisation whose scale and offset come from an embedding.

        y = γ(e) · (x − mean(x)) / sqrt(var(x) + epsilon) + β(e)

    with the moments taken over the spatial axes of each example and channel, and γ, β
    near 1 and 0 at the start (see `FiLM`). A channel that deviates from its mean by
    rounding errors only counts as flat and becomes β(e): divided by so small a
    deviation, the errors would show as structure that differs from machine to machine.

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
                "features need a spatial axis, [batch, ..., channels], "
                f"got shape={tuple(inputs_shape)}"
            )
        self.film.build(inputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        scale, shift = self.film.scale_and_shift(embedding)
        if _fits_the_fused_kernel(inputs):
            return self._fused(inputs, scale, shift)
        return self._normalized(inputs, scale, shift)

    def inverse_deviation(self, mean, variance, dtype):
        """1 / sqrt(variance + epsilon), and 0 for channels that are flat.

        Args:
            mean, variance: float32 [..., C] of the features.
            dtype: of the features, before they became float32.
        """
        share = _ROUNDING.get(keras.backend.standardize_dtype(dtype), 2.0**-12)
        flat = _deviates_less(mean, variance, share)
        return ops.where(flat, 0.0, ops.rsqrt(variance + self.epsilon))

    def _normalized(self, inputs, scale, shift):
        # A mean over a megapixel does not fit into bfloat16.
        features = ops.cast(inputs, "float32")
        axes = tuple(range(1, len(inputs.shape) - 1))
        mean, variance = exact_moments(features, axes)
        shape = (-1, *(1,) * len(axes), inputs.shape[-1])
        scale = ops.reshape(scale, shape)
        scale = scale * self.inverse_deviation(mean, variance, inputs.dtype)
        shift = ops.reshape(shift, shape) - mean * scale
        return ops.cast(scale * features + shift, self.compute_dtype)

    def _fused(self, features, scale, shift):
        """Normalises a single image by the kernel for batches.

        A batch of one has the image's own moments. The kernel passes over the features
        less often than the general operations, and computes in float32, too, whatever
        the features are. Its sums are not exact enough to tell flat channels: where
        there may be one, which is rare in photographs, the general operations are used
        after all.
        """
        import tensorflow as tf

        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=features,
            scale=tf.reshape(scale, [-1]),
            offset=tf.reshape(shift, [-1]),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        return tf.cond(
            tf.reduce_any(_deviates_less(mean, variance, _NEARLY_FLAT)),
            lambda: self._normalized(features, scale, shift),
            lambda: ops.cast(outputs, self.compute_dtype),
        )

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
        # TensorFlow.js would not compute the moments of the batch.
        and is_local_inference()
        # Features of another rank would have to be reshaped to images, and the kernel
        # could not be fused with what follows, such as a ReLU.
        and len(features.shape) == 4
        and features.shape[0] == 1
        and keras.backend.standardize_dtype(features.dtype) in ("bfloat16", "float32")
    )


def exact_moments(features, axes):
    """Mean and variance of float32 features; the axes are kept.

    They are taken over one axis after the other: a sum over a megapixel at once may be
    off by a thousandth, even of a flat picture.
    """
    mean = _mean(features, axes)
    return mean, _mean(ops.square(features - mean), axes)


def _mean(features, axes):
    for axis in reversed(axes):
        features = ops.mean(features, axis=axis, keepdims=True)
    return features


def _deviates_less(mean, variance, share):
    """Whether channels [..., C] deviate by no more than a share of their values.

    Features are sums of products, and rounded in proportion to these, which may cancel
    out. How large the products are is estimated from all channels.
    """
    size = ops.square(mean)
    size = ops.maximum(size, ops.mean(size, axis=-1, keepdims=True))
    return variance <= share**2 * size
