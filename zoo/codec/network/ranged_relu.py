"""A ReLU of which one knows how large its outputs become."""

import keras
from keras import layers, ops

# A share of the largest value that is forgotten in a step.
_FORGOTTEN = 2e-3
_START = 4.0


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class RangedReLU(layers.Layer):
    """max(x, 0), which keeps the largest outputs of training: a range to round to.

    Attributes:
        largest: float32 [C], of each channel, slowly forgotten.

    Input, output: [..., C].
    """

    def build(self, inputs_shape):
        self.largest = self.add_weight(
            shape=(inputs_shape[-1],),
            initializer=keras.initializers.Constant(_START),
            trainable=False,
            autocast=False,
            dtype="float32",
            aggregation="mean",
            name="largest",
        )

    def call(self, inputs, training=None):
        outputs = ops.relu(inputs)
        if training:
            axes = tuple(range(len(outputs.shape) - 1))
            seen = ops.cast(ops.max(ops.stop_gradient(outputs), axis=axes), "float32")
            self.largest.assign(
                ops.maximum(
                    seen, ops.convert_to_tensor(self.largest) * (1 - _FORGOTTEN)
                )
            )
        return outputs

    def compute_output_shape(self, inputs_shape):
        return inputs_shape
