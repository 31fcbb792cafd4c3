"""The colours of a style, which the features of all styles have to share otherwise."""

from keras import layers, ops

# Of an affine map of three colours.
SIZE = 12


class Palette(layers.Layer):
    """An affine map of colours, the identity at the start.

        y = x + x · M + o ,   (M, o) = dense(e) + own

    for an embedding e of style and coefficients and numbers that belong to the style
    alone. The last convolution is one for all styles: its few channels hardly leave the
    colours that most styles have in common, and a term of Gram matrices, in which
    brightness weighs most, is slow to say so.

    Inputs: colours float32 [B, H, W, 3] about zero, modulation float32 [B, E + 12], the
    embedding followed by the style's own numbers. Output: as the colours.
    """

    def __init__(self, **kwargs):
        super().__init__(autocast=False, dtype="float32", **kwargs)
        self.affine = layers.Dense(
            SIZE, kernel_initializer="zeros", dtype="float32", name="affine"
        )

    def build(self, colors_shape, modulation_shape):
        self.affine.build((None, modulation_shape[-1] - SIZE))

    def call(self, colors, modulation):
        affine = self.affine(modulation[:, :-SIZE]) + modulation[:, -SIZE:]
        affine = ops.reshape(affine, (-1, 4, 3))
        batch, height, width, _ = ops.shape(colors)
        pixels = ops.reshape(colors, (batch, height * width, 3))
        pixels = pixels + ops.matmul(pixels, affine[:, :3]) + affine[:, 3:]
        return ops.reshape(pixels, (batch, height, width, 3))

    def compute_output_shape(self, colors_shape, modulation_shape):
        return colors_shape
