"""A convolution for a handful of output channels."""

import keras
from keras import layers, ops

from yoto_tf.machine.compilation import is_local_inference


@keras.saving.register_keras_serializable(package="yoto_tf.stylization")
class PackedConv2D(layers.Conv2D):
    """A valid convolution of stride 1 that computes several columns as if channels.

        y[·, P·X + p, o] = Σ_d K[·, d, ·, o] · x[·, P·X + p + d, ·]    p = 0 … P − 1

    A kernel that makes three channels leaves most of a processor's lanes idle. Here P
    neighbouring columns of the input are one with P times the channels, and so are P of
    the output, by the kernel at P offsets; the zeros around it cost less than the lanes
    gain. Browsers do not gain by it: it is done in local inference only. The sums are
    the same up to their rounding, and the weights are those of `keras.layers.Conv2D`.

    Args:
        pack: P. The columns of the input, and with them K_w − 1, are its multiples.
        Others as for `keras.layers.Conv2D`, whose strides, padding and dilation stay
        as they are by default.
    """

    def __init__(self, *args, pack, **kwargs):
        super().__init__(*args, **kwargs)
        self.pack = pack

    def call(self, features):
        if not is_local_inference():
            return super().call(features)
        batch, height, width, channels = ops.shape(features)
        rows, columns, _, filters = self.kernel.shape
        blocks = (columns - 1) // self.pack + 1
        kernel = ops.stack(
            [
                ops.pad(self.kernel, ((0, 0), (p, self.pack - 1 - p), (0, 0), (0, 0)))
                for p in range(self.pack)
            ],
            axis=-2,
        )
        kernel = ops.reshape(
            kernel, (rows, blocks, self.pack * channels, self.pack * filters)
        )
        features = ops.reshape(
            features, (batch, height, width // self.pack, self.pack * channels)
        )
        bias = ops.tile(self.bias, (self.pack,))
        outputs = ops.add(ops.conv(features, kernel), bias)
        return ops.reshape(
            outputs, (batch, height - rows + 1, width - columns + 1, filters)
        )

    def get_config(self):
        return {**super().get_config(), "pack": self.pack}
