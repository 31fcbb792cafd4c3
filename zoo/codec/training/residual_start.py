"""Starts a residual codec as a linear transform codec that is good at every λ.

As `start_as_linear_codec`, for `ResidualHyperprior`: the changes of resolution begin as
principal components, those of the synthesis as their transposes; the blocks between
them begin near the identity by themselves. Every channel begins with unit deviation:
the mean of a block of pixels varies a hundred times as much as its finest detail, which
the blocks would not see beside it. Adam would then move every channel by the same share
of its deviation: a step too small to be seen in the finest detail is many quantisation
steps of the mean, and the start was lost after some dozen steps. So channels that vary
much learn slowly, all by about as much in units of pixel values.
"""

import numpy as np
from keras import ops

from yoto_tf.zoo.codec.network.residual_transforms import STRIDES
from yoto_tf.zoo.codec.training.linear_start import set_gains, set_scales
from yoto_tf.zoo.pixels import CONTRAST

# Of the usual initialisation, what channels without a principal component keep.
_NOISE = 0.1
# Deviation, in units of the input's, above which channels learn slowly.
_PACE = 0.3
# The smallest deviation that is stretched to one, in units of the input's.
_LEAST_DEVIATION = 0.01


def start_as_residual_codec(network, patches):
    """Sets the initial weights of a built `ResidualHyperprior` in place.

    Args:
        network: the network.
        patches: images [N, H, W, 3] in [0, 1], H and W multiples of 16; a few hundred
            of 128×128 are plenty.
    """
    features = (np.asarray(patches, "float32") - 0.5) * CONTRAST
    deviation = np.ones(3)
    analysis, synthesis = network.analysis, network.synthesis
    levels = zip(
        STRIDES,
        analysis.changes,
        analysis.blocks,
        synthesis.changes[::-1],
        synthesis.blocks[::-1],
        strict=True,
    )
    for stride, forward, before, backward, after in levels:
        blocks = _blocks(features, stride)
        basis = _principal_components(blocks)[:, : forward.filters]
        features = blocks @ basis
        known, kept = len(deviation), basis.shape[1]
        basis = basis.reshape(stride, stride, known, kept)
        finer = deviation[:, None]
        deviation = np.sqrt(np.mean(np.square(features), axis=(0, 1, 2)))
        deviation = np.maximum(deviation, _LEAST_DEVIATION)
        kernel = _NOISE * ops.convert_to_numpy(forward.kernel)
        kernel[:, :, :, :kept] = 0
        kernel[:, :, :known, :kept] = basis * finer / deviation
        forward.kernel.assign(kernel)
        # [1, 1, C, side²·C'] or [3, 3, …]: the middle tap, and channels as the block.
        kernel = _NOISE * ops.convert_to_numpy(backward.kernel)
        height, width, inputs, outputs = kernel.shape
        taps = kernel.reshape(height, width, inputs, stride, stride, -1)
        taps[:, :, :, :, :, :known] = 0
        middle = taps[height // 2, width // 2]
        middle[:kept, :, :, :known] = np.moveaxis(basis * deviation / finer, -1, 0)
        backward.kernel.assign(taps.reshape(height, width, inputs, outputs))
        unit = _units(deviation, forward.filters)
        forward.set_unit(unit)
        for block in (*before, *after):
            block.outer.set_unit(unit)
        # Channels as the block: those of a pixel for every pixel.
        units = _units(finer[:, 0], outputs // stride**2)
        backward.set_unit(np.tile(units, stride**2))
    set_gains(network.log_gain, network.coefficients, deviation)
    set_scales(network, features / deviation)


def _units(deviation, channels):
    """Units of convolutions' outputs, float32 [channels], for known deviations."""
    units = np.ones(channels, "float32")
    units[: len(deviation)] = np.minimum(1, _PACE / deviation)
    return units


def _blocks(features, side):
    """[N, H, W, C] to [N, H/side, W/side, side²·C]: rows of a block, columns, C."""
    number, height, width, channels = features.shape
    blocks = features.reshape(
        number, height // side, side, width // side, side, channels
    )
    blocks = blocks.transpose(0, 1, 3, 2, 4, 5)
    return blocks.reshape(number, height // side, width // side, -1)


def _principal_components(blocks):
    """Orthonormal eigenvectors of [..., D], float32 [D, D], best first."""
    flat = blocks.reshape(-1, blocks.shape[-1])
    moments = flat.astype("float64").T @ flat / len(flat)
    return np.linalg.eigh(moments)[1][:, ::-1].astype("float32")
