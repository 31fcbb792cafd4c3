"""Residual transforms without strided kernels, conditioned on the embedding.

    analysis    blocks of 4×4 pixels as channels · 1×1 · residual blocks        1/4 size
                blocks of 2×2 as channels · 1×1 · residual blocks               1/8 size
                the same once more: latents                                    1/16 size
    synthesis   the same backwards, a 3×3 convolution before the last step   full size

A residual block is x + conv 3×3(leaky ReLU(FiLM(conv 3×3(x)))), the inner map half as
deep. With a plain ReLU nearly all units were dead after 70,000 steps of one patch, and
what was left was a linear transform.

Between blocks all is linear, so that the whole starts as a linear transform. FiLM
starts at exactly the identity: what the convolutions start as holds for every
coefficient.

Reference: He et al., "ELIC: Efficient Learned Image Compression with Unevenly Grouped
Space-Channel Contextual Adaptive Coding", CVPR 2022 (residual blocks in place of
divisive normalisation).
"""

import keras
from keras import layers, ops

from yoto_tf.layers import FiLM
from yoto_tf.zoo.codec.network.modulated_convolution import modulated_convolution
from yoto_tf.zoo.codec.network.relative_convolution import RelativeConv2D
from yoto_tf.zoo.codec.network.transforms import leaky_relu

# The most blocks at one resolution: a forged file could name any number.
MOST_BLOCKS = 64
# Sides of the blocks that become channels, from the picture to the latents.
STRIDES = (4, 2, 2)


class ResidualBlock(layers.Layer):
    """x + conv 3×3(leaky ReLU(FiLM(conv 3×3(x)))), C/2 channels between the two.

    The second convolution starts near zero, the block near the identity.

    Args:
        channels: C, even.
        conditioned: whether FiLM reads the embedding.

    Inputs: features [B, h, w, C], embedding [B, E]. Output: as the features.
    """

    def __init__(self, channels, conditioned=True, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Conv2D(channels // 2, 3, padding="same", name="inner")
        self.outer = RelativeConv2D(
            channels,
            3,
            padding="same",
            kernel_initializer=keras.initializers.VarianceScaling(1e-6),
            name="outer",
        )
        self.film = (
            FiLM(kernel_initializer="zeros", name="film") if conditioned else None
        )

    def build(self, inputs_shape, embedding_shape):
        self.inner.build(inputs_shape)
        inner_shape = self.inner.compute_output_shape(inputs_shape)
        self.outer.build(inner_shape)
        if self.film is not None:
            self.film.build(inner_shape, embedding_shape)

    def call(self, inputs, embedding):
        if self.film is None:
            inner = self.inner(inputs)
        elif inputs.shape[0] == 1:
            affine = self.film.scale_and_shift(embedding)
            inner = modulated_convolution(self.inner, inputs, *affine)
        else:
            inner = self.film(self.inner(inputs), embedding)
        return inputs + self.outer(leaky_relu(inner))

    def compute_output_shape(self, inputs_shape, embedding_shape):
        return inputs_shape


class _Residual(layers.Layer):
    """Linear changes of resolution with residual blocks at each resolution.

    Attributes:
        changes: the linear layers.
        blocks: a list of `ResidualBlock` for each resolution.
        reach: how many blocks of 16×16 pixels (before, after) its own it looks.
        largest_map: numbers in its largest feature map for each place of the latents.
    """

    def __init__(self, changes, widths, counts, conditioned, **kwargs):
        super().__init__(**kwargs)
        # At 1/4 of the picture's size.
        self.largest_map = 4**2 * max(widths[0], widths[-1])
        self.changes = changes
        # Stored weights are found by these names.
        for position, layer in enumerate(changes):
            layer.name = f"change_{position}"
        self.blocks = [
            [
                ResidualBlock(width, conditioned, name=f"block_{level}_{position}")
                for position in range(count)
            ]
            for level, (width, count) in enumerate(zip(widths, counts, strict=True))
        ]

    def _build_blocks(self, level, shape, embedding_shape):
        for block in self.blocks[level]:
            block.build(shape, embedding_shape)


class ResidualAnalysis(_Residual):
    """Image [B, H, W, 3] to latents [B, H/16, W/16, widths[-1]].

    Args:
        widths: channels at 1/4, 1/8 and 1/16 of the size.
        counts: residual blocks at each.
        conditioned: whether FiLM reads the embedding.
    """

    def __init__(self, widths, counts, conditioned=True, **kwargs):
        # Kernels as large as their strides: blocks of pixels to channels.
        changes = [
            RelativeConv2D(width, stride, stride)
            for width, stride in zip(widths, STRIDES, strict=True)
        ]
        super().__init__(changes, widths, counts, conditioned, **kwargs)
        self.reach = _reach(counts, 0)

    def build(self, inputs_shape, embedding_shape):
        for level, change in enumerate(self.changes):
            change.build(inputs_shape)
            inputs_shape = (*inputs_shape[:-1], change.filters)
            self._build_blocks(level, inputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        features = inputs
        for change, blocks in zip(self.changes, self.blocks, strict=True):
            features = change(features)
            for block in blocks:
                features = block(features, embedding)
        return features

    def compute_output_shape(self, inputs_shape, embedding_shape):
        for change in self.changes:
            inputs_shape = change.compute_output_shape(inputs_shape)
        return inputs_shape


class ResidualSynthesis(_Residual):
    """Latents [B, h, w, C] to an image [B, 16h, 16w, 3], float32.

    Args:
        widths: of the analysis; they are used in reverse.
        counts: likewise.
        conditioned: see `ResidualAnalysis`.
    """

    def __init__(self, widths, counts, conditioned=True, **kwargs):
        _, *coarser = STRIDES
        changes = [
            RelativeConv2D(width * stride**2, 1)
            for width, stride in zip(widths[-2::-1], coarser[::-1], strict=True)
        ]
        # Eight bits of mantissa would be seen in the picture.
        changes.append(
            RelativeConv2D(3 * STRIDES[0] ** 2, 3, padding="same", dtype="float32")
        )
        super().__init__(changes, widths[::-1], counts[::-1], conditioned, **kwargs)
        self.reach = _reach(counts, 1)

    def build(self, inputs_shape, embedding_shape):
        for level, (change, stride) in enumerate(
            zip(self.changes, STRIDES[::-1], strict=True)
        ):
            self._build_blocks(level, inputs_shape, embedding_shape)
            change.build(inputs_shape)
            inputs_shape = (*inputs_shape[:-1], change.filters // stride**2)

    def call(self, inputs, embedding):
        features = inputs
        for change, stride, blocks in zip(
            self.changes, STRIDES[::-1], self.blocks, strict=True
        ):
            for block in blocks:
                features = block(features, embedding)
            features = depth_to_space(change(features), stride)
        return features

    def compute_output_shape(self, inputs_shape, embedding_shape):
        batch, height, width, _ = inputs_shape
        scale = None if height is None else 16
        return (batch, height and scale * height, width and scale * width, 3)


def _reach(counts, others):
    """Blocks of 16×16 pixels that 3×3 convolutions look to either side.

    Args:
        counts: residual blocks of two convolutions at 1/4, 1/8 and 1/16 of the size.
        others: further convolutions at 1/4 of the size.
    """
    pixels = 4 * others + sum(
        2 * count * side for count, side in zip(counts, (4, 8, 16), strict=True)
    )
    blocks = -(-pixels // 16)
    return blocks, blocks


def residual_transforms(widths, counts, conditioned):
    """A pair of `ResidualAnalysis` and `ResidualSynthesis`.

    Raises:
        ValueError: not as many widths and counts as there are resolutions, an odd
            width, or more than `MOST_BLOCKS` blocks.
    """
    if len(widths) != len(STRIDES) or len(counts) != len(STRIDES):
        raise ValueError(
            f"filters and blocks must be {len(STRIDES)} each, got "
            f"filters={tuple(widths)}, blocks={tuple(counts)}"
        )
    if max(counts) > MOST_BLOCKS:
        raise ValueError(
            f"blocks must be at most {MOST_BLOCKS}, got blocks={tuple(counts)}"
        )
    if any(width % 2 for width in widths):
        raise ValueError(f"filters must be even, got filters={tuple(widths)}")
    return (
        ResidualAnalysis(widths, counts, conditioned, name="analysis"),
        ResidualSynthesis(widths, counts, conditioned, name="synthesis"),
    )


def depth_to_space(features, side):
    """Channels to blocks of pixels: [B, h, w, side²·C] to [B, side·h, side·w, C].

    Channels run over the rows of a block, then over its columns, then over C.
    """
    batch, height, width = ops.shape(features)[:3]
    depth = features.shape[-1] // side
    # Five axes at the most, which every runtime can transpose.
    rows = ops.reshape(features, (batch, height, width, side, depth))
    rows = ops.transpose(rows, (0, 1, 3, 2, 4))
    return ops.reshape(rows, (batch, side * height, side * width, depth // side))
