"""The style network, conditioned on style and coefficients throughout.

    image ─ 9×9 ─ 3×3/2 ─ 3×3/2 ─ 5 × (3×3 ─ 3×3, added) ─ ×2 3×3 ─ ×2 3×3 ─ 9×9 ─ image
             └───────┴───────┴──────── CIN after each ────────┴───────┘   palette
                                         ▲                                   ▲
    coefficients ─ embedding ─┬─ FiLM ─ dense ─┬─ embedding of both ─────────┤
    style weights ─ table ────┴────────────────┴─ the style's own numbers ───┘

References: Johnson et al., "Perceptual Losses for Real-Time Style Transfer and
Super-Resolution", ECCV 2016; Dumoulin et al., "A Learned Representation for Artistic
Style", ICLR 2017; Babaeizadeh & Ghiasi, "Adjustable Real-time Style Transfer", ICLR
2020.
"""

import keras
from keras import layers, ops

from yoto_tf.coefficients import deserialize_coefficients
from yoto_tf.errors import DataError
from yoto_tf.layers import CoefficientEmbedding, FiLM
from yoto_tf.zoo.pixels import CONTRAST
from yoto_tf.zoo.stylization.network import palette
from yoto_tf.zoo.stylization.network.packed_convolution import PackedConv2D
from yoto_tf.zoo.stylization.network.stage import Stage, reflected
from yoto_tf.zoo.stylization.network.style_encoder import StyleEncoder
from yoto_tf.zoo.stylization.network.style_table import StyleTable

# Sides of a picture: the two strided convolutions halve them twice.
MULTIPLE = 4
MINIMUM = 16
# The shorter side of a painting, as a style is learned from it.
STYLE_SIZE = 384
# A forged file could name any number.
_MOST_BLOCKS = 64
# Of the two stages that double: which neighbour lines are averaged with.
UPSAMPLING = {"nearest": (0, 0), "linear": (-1, 1)}


# Files hold the name that the class had in 0.1.
@keras.saving.register_keras_serializable("yoto_tf.stylization", name="Transformer")
class StyleNetwork(keras.Model):
    """Image, style and coefficients to the stylised image.

    Args:
        coefficients: `yoto_tf.Coefficients`, `content` and `style_1` … `style_4`.
        styles: names of the styles, S of them.
        width: multiplier of the channels, which at 1 are 32, 64 and 128.
        blocks: number of residual blocks, up to 64.
        embedding_size: width of a style's embedding and of the one of both.
        upsampling: `"linear"`, or `"nearest"` as it was in 0.1, see `Stage`.
        style_encoder: whether it has a `StyleEncoder` too, for `predict_style`.

    Inputs: {"image": [B, H, W, 3] in [0, 1], any H, W ≥ 16; "style": [B, S] weights
        ≥ 0, not all zero, which count by their shares, or what `predict_style` gives;
        "coefficients": [B, 5]}.

    Output: float32 [B, H, W, 3] in [0, 1]. In training the gradient passes through the
    clipping as if there were none: pixels at the ends of the range still learn, which
    those of a sigmoid hardly do, and colours stay full.
    """

    def __init__(
        self,
        coefficients,
        styles,
        width=1.0,
        blocks=5,
        embedding_size=64,
        upsampling="nearest",
        style_encoder=False,
        **kwargs,
    ):
        # The coefficients keep their precision.
        super().__init__(autocast=False, **kwargs)
        if blocks > _MOST_BLOCKS:
            raise ValueError(
                f"blocks must be at most {_MOST_BLOCKS}, got blocks={blocks}"
            )
        if upsampling not in UPSAMPLING:
            raise ValueError(
                f"upsampling must be one of {', '.join(UPSAMPLING)}, "
                f"got upsampling={upsampling}"
            )
        self.coefficients = coefficients
        self.styles = tuple(styles)
        self.width = width
        self.blocks = blocks
        self.embedding_size = embedding_size
        self.upsampling = upsampling
        low, middle, high = (max(1, round(width * count)) for count in (32, 64, 128))
        # Stored weights are found by these names.
        self.encoder = [
            Stage(low, 9, name="encoder_0"),
            Stage(middle, 3, 2, name="encoder_1"),
            Stage(high, 3, 2, name="encoder_2"),
        ]
        self.residual = [
            Stage(high, 3, activate=part == 0, name=f"residual_{block}_{part}")
            for block in range(blocks)
            for part in (0, 1)
        ]
        before, after = UPSAMPLING[upsampling]
        self.decoder = [
            Stage(middle, 3, double=True, average=before, name="decoder_0"),
            Stage(low, 3, double=True, average=after, name="decoder_1"),
        ]
        self.colors = PackedConv2D(
            3,
            9,
            pack=MULTIPLE,
            # Starts within the range, so that the clipping lets colours through.
            kernel_initializer=keras.initializers.VarianceScaling(0.02),
            name="colors",
        )
        self.palette = palette.Palette(name="palette")
        self.embedding = CoefficientEmbedding(
            coefficients, (embedding_size,), name="embedding"
        )
        self.table = StyleTable(
            self.styles,
            embedding_size,
            2 * sum(stage.filters for stage in self.stages) + palette.SIZE,
            name="table",
        )
        self.style_encoder = (
            StyleEncoder(self.table.vector_size, name="style_encoder")
            if style_encoder
            else None
        )
        self.interaction = FiLM(strength=1.0, dtype="float32", name="interaction")
        # Makes one embedding of the style's and the coefficients'. Files hold its name.
        self.joint = layers.Dense(
            embedding_size,
            activation=keras.activations.leaky_relu,
            kernel_initializer=keras.initializers.VarianceScaling(2.0),
            dtype="float32",
            name="joint",
        )

    @property
    def stages(self):
        """All that is normalised, in order."""
        return [*self.encoder, *self.residual, *self.decoder]

    def build(self, input_shape=None):
        coefficients = (None, len(self.coefficients))
        embedding = self.embedding.compute_output_shape(coefficients)
        style = (None, self.embedding_size)
        both = (None, embedding[-1] + self.embedding_size)
        self.embedding.build(coefficients)
        self.table.build((None, len(self.styles)))
        if self.style_encoder is not None:
            self.style_encoder.build((None, None, None, 3))
        self.interaction.build(style, embedding)
        self.joint.build(both)
        features = (None, None, None, 3)
        for stage in self.stages:
            stage.build(features, (None, both[-1] + 2 * stage.filters))
            features = (None, None, None, stage.filters)
        self.colors.build(features)
        self.palette.build((None, None, None, 3), (None, both[-1] + palette.SIZE))
        self.built = True

    def call(self, inputs):
        image = inputs["image"]
        height, width = ops.shape(image)[1:3]
        *modulations, colors = self.modulations(inputs["style"], inputs["coefficients"])
        for axis in (1, 2):
            image = mirrored_to_multiple(image, axis)
        features = self.prepare(image)
        stages = zip(self.stages, modulations, strict=True)
        for _ in self.encoder:
            stage, modulation = next(stages)
            features = stage(features, modulation)
        for _ in range(self.blocks):
            skipped = features
            for stage, modulation in (next(stages), next(stages)):
                features = stage(features, modulation)
            features = features + skipped
        for stage, modulation in stages:
            features = stage(features, modulation)
        features = reflected(features, self.colors.kernel_size[0] // 2)
        image = self.paint(features, colors)
        return image[:, :height, :width]

    def predict_style(self, painting):
        """A style that was not learned, from its painting.

        Args:
            painting: [B, h, w, 3] in [0, 1], its shorter side `STYLE_SIZE` pixels.

        Returns:
            float32 [B, V], what the input `"style"` takes in place of weights.

        Raises:
            DataError: the network has no style encoder.
        """
        if self.style_encoder is None:
            raise DataError(
                "this stylizer has no style encoder, expected one that has: see "
                "yoto train stylization/style_encoder"
            )
        return self.style_encoder(painting)

    def modulations(self, style, coefficients):
        """What the normalisation of each of `stages`, and last the palette, is given.

        A list of float32 [B, ...].
        """
        embedding = self.embedding(coefficients)
        style, style_modulation = self.table(style)
        style = self.interaction(style, embedding)
        both = self.joint(ops.concatenate([style, embedding], axis=-1))
        both = ops.concatenate([both, embedding], axis=-1)
        modulations, begin = [], 0
        for size in (*(2 * stage.filters for stage in self.stages), palette.SIZE):
            part = style_modulation[:, begin : begin + size]
            modulations.append(ops.concatenate([both, part], axis=-1))
            begin += size
        return modulations

    def prepare(self, image):
        """Pixels in [0, 1] to what the first stage takes."""
        image = (ops.cast(image, "float32") - 0.5) * CONTRAST
        return ops.cast(image, self.compute_dtype)

    def paint(self, features, modulation):
        """Features, padded, to float32 pixels in [0, 1]; the last of `modulations`."""
        # Around zero bfloat16 has the digits that eight bits need.
        image = ops.cast(self.colors(features), "float32")
        image = self.palette(image, modulation) + 0.5
        clipped = ops.stop_gradient(ops.clip(image, 0.0, 1.0))
        return clipped + (image - ops.stop_gradient(image))

    def get_config(self):
        return {
            "name": self.name,
            "coefficients": keras.saving.serialize_keras_object(self.coefficients),
            "styles": self.styles,
            "width": self.width,
            "blocks": self.blocks,
            "embedding_size": self.embedding_size,
            "upsampling": self.upsampling,
            "style_encoder": self.style_encoder is not None,
        }

    @classmethod
    def from_config(cls, config):
        coefficients = deserialize_coefficients(config["coefficients"])
        return cls(**{**config, "coefficients": coefficients})


def mirrored_to_multiple(image, axis):
    """Mirrors the end of an axis until its length is a multiple of 4."""
    size = ops.shape(image)[axis]
    if isinstance(size, int) and size % MULTIPLE == 0:
        return image
    positions = ops.arange(-(-size // MULTIPLE) * MULTIPLE)
    return ops.take(image, size - 1 - ops.abs(size - 1 - positions), axis=axis)
