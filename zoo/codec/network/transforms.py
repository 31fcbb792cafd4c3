"""The four transforms of the codecs, each conditioned on the coefficient embedding.

    analysis         conv 5×5/2 · FiLM · GDN    ×3, conv 5×5/2           1/16 size
    synthesis        deconv 5×5/2 · FiLM · IGDN ×3, deconv 5×5/2         full size
    hyper-analysis   conv 3×3, conv 5×5/2, conv 5×5/2                    1/64 size
    hyper-synthesis  deconv 5×5/2, deconv 5×5/2, conv 3×3                1/16 size

The hyper-transforms have FiLM before each of their inner nonlinearities. All FiLM
starts at exactly the identity, so that an initialisation of the convolutions holds for
every coefficient.
"""

import keras
from keras import layers, ops

from yoto_tf.layers import GDN, FiLM
from yoto_tf.zoo.codec.network.modulated_convolution import modulated_convolution
from yoto_tf.zoo.codec.network.subpixel import subpixel_convolution


class _Conditioned(layers.Layer):
    """A chain of convolutions with FiLM and a nonlinearity after all but the last."""

    def __init__(self, convolutions, activations, conditioned, **kwargs):
        super().__init__(**kwargs)
        self.convolutions = convolutions
        self.activations = activations
        self.films = [
            FiLM(kernel_initializer="zeros") if conditioned else None
            for _ in activations
        ]
        # Stored weights are found by these names.
        for kind in ("convolutions", "activations", "films"):
            for position, layer in enumerate(getattr(self, kind)):
                if layer is not None:
                    layer.name = f"{kind[:-1]}_{position}"

    def build(self, inputs_shape, embedding_shape):
        for position, convolution in enumerate(self.convolutions):
            convolution.build(inputs_shape)
            inputs_shape = convolution.compute_output_shape(inputs_shape)
            if position < len(self.activations):
                self.activations[position].build(inputs_shape)
                if self.films[position] is not None:
                    self.films[position].build(inputs_shape, embedding_shape)

    def call(self, inputs, embedding):
        return self.last(self.features(inputs, embedding))

    def features(self, inputs, embedding):
        """What the last convolution reads."""
        features = inputs
        stages = zip(self.convolutions, self.films, self.activations, strict=False)
        for convolution, film, activation in stages:
            if film is None:
                features = convolution(features)
            elif features.shape[0] == 1:
                affine = film.scale_and_shift(embedding)
                features = modulated_convolution(convolution, features, *affine)
            else:
                features = film(convolution(features), embedding)
            features = activation(features)
        return features

    def last(self, features):
        """The last convolution."""
        return self.convolutions[-1](features)

    def compute_output_shape(self, inputs_shape, embedding_shape):
        for convolution in self.convolutions:
            inputs_shape = convolution.compute_output_shape(inputs_shape)
        return inputs_shape


def leaky_relu(inputs):
    """The larger of x and 0.2 · x."""
    # Not the op of this name: where one follows a convolution directly, TensorFlow
    # 2.17's graph optimiser fails on its gradient and leaves all fusions out.
    return ops.maximum(inputs, 0.2 * inputs)


def leaky_layer():
    """`leaky_relu` as a layer."""
    return layers.Activation(leaky_relu)


class Analysis(_Conditioned):
    """Image [B, H, W, 3] to latents [B, H/16, W/16, filters[-1]].

    Args:
        filters: channels after each of the four strided convolutions.
        conditioned: whether FiLM reads the embedding.

    Attributes:
        reach: how many blocks of 16×16 pixels (before, after) its own a latent looks:
            four 5×5 convolutions of stride 2 in Keras' "same" padding look 15 pixels
            before a block and 30 after it.
        largest_map: numbers in its largest feature map for each place of the latents.
    """

    reach = (1, 2)

    def __init__(self, filters, conditioned=True, **kwargs):
        super().__init__(
            [layers.Conv2D(count, 5, 2, "same") for count in filters],
            [GDN() for _ in filters[:-1]],
            conditioned,
            **kwargs,
        )
        # At half the picture's size.
        self.largest_map = 8**2 * filters[0]


class Synthesis(_Conditioned):
    """Latents [B, h, w, C] to an image [B, 16h, 16w, 3], float32.

    Args:
        filters: channels of the analysis' layers; they are used in reverse.
        conditioned: see `Analysis`.

    Attributes:
        reach: how many latents (before, after) its own a block of 16×16 pixels looks.
        largest_map: see `Analysis`.
    """

    reach = (2, 1)

    def __init__(self, filters, conditioned=True, **kwargs):
        inner = filters[-2::-1]
        super().__init__(
            [
                *(layers.Conv2DTranspose(count, 5, 2, "same") for count in inner),
                # Eight bits of mantissa would be seen in the picture.
                layers.Conv2DTranspose(3, 5, 2, "same", dtype="float32"),
            ],
            [GDN(inverse=True) for _ in inner],
            conditioned,
            **kwargs,
        )
        self.largest_map = 8**2 * filters[0]

    def last(self, features):
        if features.shape[0] == 1:
            return subpixel_convolution(self.convolutions[-1], features)
        return super().last(features)


def strided_transforms(filters, conditioned):
    """A pair of `Analysis` and `Synthesis`.

    Raises:
        ValueError: not four filters.
    """
    if len(filters) != 4:
        raise ValueError(
            "filters must be four, for latents of 1/16 the size, "
            f"got filters={tuple(filters)}"
        )
    return (
        Analysis(filters, conditioned, name="analysis"),
        Synthesis(filters, conditioned, name="synthesis"),
    )


class HyperAnalysis(_Conditioned):
    """Latents [B, h, w, C] to hyper-latents [B, h/4, w/4, filters].

    Args:
        filters: channels of every layer.
        conditioned: see `Analysis`.
    """

    def __init__(self, filters, conditioned=True, **kwargs):
        super().__init__(
            [
                layers.Conv2D(filters, 3, 1, "same"),
                layers.Conv2D(filters, 5, 2, "same"),
                layers.Conv2D(filters, 5, 2, "same"),
            ],
            [leaky_layer(), leaky_layer()],
            conditioned,
            **kwargs,
        )


class HyperSynthesis(_Conditioned):
    """Hyper-latents [B, h/4, w/4, filters] to one parameter a latent [B, h, w, C].

    Args:
        filters: channels of the inner layers.
        latents: C.
        conditioned: see `Analysis`.
        activation: function that makes a layer, the nonlinearity. Integer arithmetic
            computes the ReLU exactly.
    """

    def __init__(
        self, filters, latents, conditioned=True, activation=layers.ReLU, **kwargs
    ):
        small = keras.initializers.VarianceScaling(0.01)
        super().__init__(
            [
                layers.Conv2DTranspose(filters, 5, 2, "same"),
                layers.Conv2DTranspose(filters, 5, 2, "same"),
                layers.Conv2D(latents, 3, 1, "same", kernel_initializer=small),
            ],
            [activation(), activation()],
            conditioned,
            **kwargs,
        )
