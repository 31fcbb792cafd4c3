"""A painting to the numbers that belong to its style."""

import keras
from keras import layers, ops

from yoto_tf.zoo.pixels import CONTRAST

FILTERS = (32, 64, 128, 256)
_UNITS = 256
# Of the smallest variance whose root has a gradient that can be used.
_EPSILON = 1e-4


class StyleEncoder(layers.Layer):
    """A first guess at a style from one look at its painting.

        painting ─ 5×5/2 ─ 3×3/2 ─ 3×3/2 ─ 3×3/2
                     └───────┴───────┴───────┴── mean, deviation ─ dense ─ dense ─ style

    Style is what does not depend on the place. So of every layer the mean and the
    standard deviation over all places count, as in the Gram matrices that a style is
    measured by.

    Args:
        vector_size: N, of a style in `StyleTable`.

    Input: [B, h, w, 3] in [0, 1], h, w ≥ 16. Output: float32 [B, N].

    Reference: Ghiasi et al., "Exploring the Structure of a Real-time, Arbitrary Neural
    Artistic Stylization Network", BMVC 2017.
    """

    def __init__(self, vector_size, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.vector_size = vector_size
        self.convolutions = [
            layers.Conv2D(
                filters,
                5 if number == 0 else 3,
                strides=2,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                dtype=self.dtype_policy,
                name=f"convolution_{number}",
            )
            for number, filters in enumerate(FILTERS)
        ]
        self.hidden = layers.Dense(
            _UNITS,
            activation=keras.activations.leaky_relu,
            kernel_initializer="he_normal",
            dtype="float32",
            name="hidden",
        )
        self.style = layers.Dense(
            vector_size,
            kernel_initializer=keras.initializers.VarianceScaling(1e-3),
            dtype="float32",
            name="style",
        )

    def build(self, painting_shape):
        shape = (None, None, None, 3)
        for convolution in self.convolutions:
            convolution.build(shape)
            shape = (None, None, None, convolution.filters)
        self.hidden.build((None, 2 * sum(FILTERS)))
        self.style.build((None, _UNITS))

    def call(self, painting):
        features = (ops.cast(painting, "float32") - 0.5) * CONTRAST
        features = ops.cast(features, self.compute_dtype)
        moments = []
        for convolution in self.convolutions:
            features = convolution(features)
            mean, variance = ops.moments(ops.cast(features, "float32"), axes=(1, 2))
            moments += [mean, ops.sqrt(variance + _EPSILON)]
        return self.style(self.hidden(ops.concatenate(moments, axis=-1)))

    def compute_output_shape(self, painting_shape):
        return (painting_shape[0], self.vector_size)
