"""The loss terms of style transfer: content, four of style, and total variation."""

import dataclasses

import numpy as np
from keras import ops

from yoto_tf.zoo.stylization.network.style_table import mixed, mixture

CONTENT_LAYER = "block3_conv3"
# Shallow to deep: palette and grain first, long brush strokes last.
STYLE_LAYERS = ("block1_conv2", "block2_conv2", "block3_conv1", "block3_conv3")

# Pixels from one value of the smallest features to the next.
WEAVE = 4
# Of a squared amplitude: a quarter of a step of 8 bits.
_NO_TEXTURE = (0.25 / 255) ** 2


@dataclasses.dataclass(frozen=True, eq=False)
class StylizationTerms:
    """The terms of `LossConditionalModel` for style transfer, per example.

        content          mean ‖φ(y) − φ(x)‖² / energy    at the content layer
        style_i          ‖G_i(y) − T_i‖² / ‖T_i‖²        at the i-th style layer
        total_variation  weight · mean squared difference of neighbours
        weave            weight · power at a period of four pixels over that around it

    for a photograph x, its stylised image y, Gram matrices G and the target T, the
    mixed Gram matrices of the paintings. A style term is relative to its painting:
    without that, a few vivid paintings would have the moving averages, and with them
    the training, to themselves. The content is not relative to its photograph: some
    photographs are next to empty.

    Args:
        features: `PerceptualFeatures` of at least the layers named here.
        grams: {layer: float32 [S, C, C]}, see `gram_matrices`.
        energy: what the content is divided by, > 0: a constant that only sets the unit.
        content_layer: name of a layer.
        style_layers: names of the layers of style_1, style_2, …
        total_variation: its weight, fixed, ≥ 0.
        weave: its weight, fixed, ≥ 0; at 0 it is left out. See `weave`.

    References: Gatys et al., "Image Style Transfer Using Convolutional Neural
    Networks", CVPR 2016; Johnson et al., ECCV 2016.
    """

    features: object
    grams: dict
    energy: float
    content_layer: str = CONTENT_LAYER
    style_layers: tuple = STYLE_LAYERS
    total_variation: float = 1.0
    weave: float = 0.0

    def __call__(self, inputs, outputs):
        """{name: float32 [B]} for {"image", "style"} and the stylised images."""
        content = self.content_layer
        shown = self.features(outputs, {content, *self.style_layers})
        meant = self.features(inputs["image"], {content})
        targets = self.targets(inputs)
        terms = {"content": content_error(shown[content], meant[content], self.energy)}
        for number, layer in enumerate(self.style_layers, start=1):
            gram = gram_matrix(shown[layer])
            terms[f"style_{number}"] = relative_error(gram, targets[layer])
        terms["total_variation"] = self.total_variation * total_variation(outputs)
        if self.weave:
            terms["weave"] = self.weave * weave(outputs)
        return terms

    def targets(self, inputs):
        """{style layer: float32 [B, C, C]}, the Gram matrices that are aimed at."""
        shares = mixture(inputs["style"])
        return {layer: mixed(shares, self.grams[layer]) for layer in self.style_layers}


def gram_matrix(features):
    """Σ_positions f fᵀ / positions: [B, H, W, C] to float32 [B, C, C]."""
    batch, height, width, channels = ops.shape(features)
    # A sum over a picture does not fit into bfloat16.
    features = ops.reshape(ops.cast(features, "float32"), (batch, -1, channels))
    grams = ops.einsum("bnc,bnd->bcd", features, features)
    return grams / ops.cast(height * width, "float32")


def gram_matrices(features, paintings):
    """Gram matrices of paintings, the constants of `StylizationTerms`.

    Args:
        features: `PerceptualFeatures`.
        paintings: iterable of uint8 [H, W, 3] of any sizes.

    Returns:
        {layer: float32 array [S, C, C]} for all layers of the features.
    """
    grams = {layer: [] for layer in features.layers}
    for painting in paintings:
        found = features(painting[None] * np.float32(1 / 255))
        for layer, rows in grams.items():
            rows.append(ops.convert_to_numpy(gram_matrix(found[layer])[0]))
    return {layer: np.stack(rows) for layer, rows in grams.items()}


def content_error(features, target, energy):
    """Mean over positions of ‖features − target‖² / energy, float32 [B]."""
    error = ops.cast(features, "float32") - ops.cast(target, "float32")
    return ops.mean(ops.sum(ops.square(error), axis=-1), axis=(1, 2)) / energy


def relative_error(values, target):
    """‖values − target‖² / ‖target‖² of each example, [B]."""
    axes = tuple(range(1, len(values.shape)))
    error = ops.sum(ops.square(values - target), axis=axes)
    return error / ops.maximum(ops.sum(ops.square(target), axis=axes), 1e-8)


def total_variation(image):
    """Mean squared difference of vertical and of horizontal neighbours, summed, [B]."""
    image = ops.cast(image, "float32")
    down = ops.square(image[:, 1:] - image[:, :-1])
    right = ops.square(image[:, :, 1:] - image[:, :, :-1])
    return ops.mean(down, (1, 2, 3)) + ops.mean(right, (1, 2, 3))


def weave(image):
    """How far the power at a period of four pixels is above that around it, [B].

        Σ_axes max(P(1/4) / (mean of P near 1/4 + ε) − 1, 0)

    for P(f) the mean over all columns, or rows, and colours of their squared amplitude
    at f periods a pixel. A network that doubles twice can paint threads in step with
    its own grid, and a term of Gram matrices does not mind where they run. Down a whole
    line what is in step adds up; a painting's texture has as much at other periods.

    Args:
        image: [B, H, W, C], H, W ≥ 16; what is left over after multiples of four does
            not count.
    """
    image = ops.cast(image, "float32")
    return _in_step(image) + _in_step(ops.swapaxes(image, 1, 2))


def _in_step(image):
    length = image.shape[1] // WEAVE * WEAVE
    # Whole periods, so that no frequency leaks into another.
    periods = length // WEAVE + np.array([0, -3, -2, 2, 3])
    angles = 2j * np.pi / length * periods[:, None] * np.arange(length)
    waves = np.exp(angles) * (2 / length)
    waves = np.concatenate([waves.real, waves.imag]).astype("float32")
    amplitudes = ops.einsum("fy,byxc->fbxc", waves, image[:, :length])
    power = ops.mean(ops.square(amplitudes), axis=(2, 3))
    power = power[: len(periods)] + power[len(periods) :]
    ratio = power[0] / (ops.mean(power[1:], axis=0) + _NO_TEXTURE)
    return ops.relu(ratio - 1)
