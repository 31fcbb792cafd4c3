"""Features of the VGG networks, by which content and style are compared."""

import re

import keras
import numpy as np
from keras import ops

from yoto_tf.errors import DataError

# What the networks were trained with: 8-bit pixels minus these means.
RGB_MEANS = (123.68, 116.779, 103.939)
_LAYER = re.compile(r"block(\d+)_conv(\d+)")
_POOLING = {"average": ops.average_pool, "max": ops.max_pool}


class PerceptualFeatures:
    """Activations of a VGG network at named layers; nothing in it can be trained.

    Args:
        weights: {layer: (kernel [3, 3, C, C'] for BGR input, bias [C'])} of every
            layer up to the deepest of `layers`, see `read_weights`.
        layers: names such as "block3_conv1", in any order.
        pooling: between the blocks, "average" or "max". VGG was trained with max;
            Gatys et al. found that averages, through which every activation gets a
            gradient, make for better pictures.
        dtype: of the convolutions.

    Raises:
        DataError: a layer has no weights.

    Reference: Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale
    Image Recognition", ICLR 2015.
    """

    def __init__(self, weights, layers, pooling="average", dtype="float32"):
        self.layers = tuple(sorted(set(layers), key=_place))
        self.pool = _POOLING[pooling]
        self.dtype = dtype
        self._weights = []
        for name in sorted(weights, key=_place):
            if _place(name) <= _place(self.layers[-1]):
                self._weights.append((name, *weights[name]))
        missing = set(self.layers) - {name for name, *_ in self._weights}
        if missing:
            raise DataError(
                f"the feature weights lack {', '.join(sorted(missing))}: they have "
                f"{', '.join(sorted(weights, key=_place))}"
            )

    def __call__(self, image, layers=None):
        """Activations after the ReLU.

        Args:
            image: [B, H, W, 3], RGB in [0, 1].
            layers: some of those given at the start; None for all.

        Returns:
            {layer: [B, h, w, C]} in `dtype`.
        """
        wanted = self.layers if layers is None else layers
        features = ops.cast(image, "float32") * 255.0 - np.float32(RGB_MEANS)
        features = ops.cast(features, self.dtype)
        found, block = {}, 1
        for name, kernel, bias in self._weights:
            if _place(name)[0] != block:
                block = _place(name)[0]
                features = self.pool(features, 2, 2, "valid")
            if kernel.shape[2] == 3:
                # Reversed here, once, instead of every picture to BGR.
                kernel = kernel[:, :, ::-1]
            features = ops.conv(
                features, ops.cast(kernel, self.dtype), padding="same"
            ) + ops.cast(bias, self.dtype)
            features = ops.relu(features)
            if name in wanted:
                found[name] = features
            if len(found) == len(set(wanted)):
                return found
        return found


def read_weights(source=""):
    """Weights of a VGG network for `PerceptualFeatures`.

    Args:
        source: an `.npz` file with `LAYER/kernel` and `LAYER/bias` (HWIO, BGR), which
            need not hold all layers; or an empty string for the VGG-16 that Keras
            Applications downloads.

    Raises:
        DataError: the file cannot be read or holds no such weights, or the download
            fails.
    """
    return _from_npz(source) if source else _from_keras()


def weights_of(model):
    """The same from a model of Keras Applications."""
    return {
        layer.name: tuple(map(np.asarray, layer.get_weights()))
        for layer in model.layers
        if _LAYER.fullmatch(layer.name)
    }


def _from_keras():
    try:
        model = keras.applications.VGG16(include_top=False, weights="imagenet")
    # A download may fail with any exception.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            "the VGG-16 weights of Keras Applications cannot be fetched "
            f"({reason}); name an .npz file of feature weights instead"
        ) from error
    return weights_of(model)


def _from_npz(path):
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except FileNotFoundError:
        raise DataError(f"no file of feature weights at {path}") from None
    # Damaged bytes make zipfile and numpy raise a dozen kinds of exception.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"cannot read feature weights {path} ({reason})") from error
    names = {key.partition("/")[0] for key in arrays}
    weights = {
        name: (arrays[f"{name}/kernel"], arrays[f"{name}/bias"])
        for name in names
        if _LAYER.fullmatch(name) and {f"{name}/kernel", f"{name}/bias"} <= set(arrays)
    }
    if not weights:
        raise DataError(
            f"{path} holds no feature weights: expected arrays named as in "
            f"block1_conv1/kernel, got {', '.join(sorted(arrays)[:3]) or 'none'}"
        )
    return weights


def _place(name):
    """(block, convolution) of a layer's name."""
    match = _LAYER.fullmatch(name)
    if match is None:
        raise DataError(f"expected a layer such as block3_conv1, got {name!r}")
    return int(match[1]), int(match[2])
