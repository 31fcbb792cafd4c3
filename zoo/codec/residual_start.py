"""Starts a residual codec as a linear transform codec that is good at every λ.

As `start_as_linear_codec`, for `ResidualHyperprior`: the changes of resolution begin as
principal components, those of the synthesis as their transposes; the blocks between
them begin near the identity by themselves.
"""

import numpy as np
from keras import ops

from yoto_tf.zoo.codec.linear_start import (
    apply_in_parts,
    set_gains,
    set_scales,
)
from yoto_tf.zoo.codec.network.codec_network import CONTRAST
from yoto_tf.zoo.codec.network.residual_transforms import STRIDES

# Of the usual initialisation, what channels without a principal component keep.
_NOISE = 0.1


def start_as_residual_codec(network, patches):
    """Sets the initial weights of a built `ResidualHyperprior` in place.

    Args:
        network: the network.
        patches: images [N, H, W, 3] in [0, 1], H and W multiples of 16; a few hundred
            of 128×128 are plenty.
    """
    features = (np.asarray(patches, "float32") - 0.5) * CONTRAST
    analysis = network.analysis.changes
    synthesis = network.synthesis.changes[::-1]
    known = 3
    for stride, forward, backward in zip(STRIDES, analysis, synthesis, strict=True):
        basis = _principal_components(features[..., :known], stride)
        kept = min(basis.shape[-1], forward.filters)
        basis = basis[..., :kept]
        kernel = _NOISE * ops.convert_to_numpy(forward.kernel)
        kernel[:, :, :, :kept] = 0
        kernel[:, :, :known, :kept] = basis
        forward.kernel.assign(kernel)
        # [1, 1, C, side²·C'] or [3, 3, …]: the middle tap, and channels as the block.
        kernel = _NOISE * ops.convert_to_numpy(backward.kernel)
        height, width, inputs, outputs = kernel.shape
        blocks = kernel.reshape(height, width, inputs, stride, stride, -1)
        blocks[:, :, :, :, :, :known] = 0
        middle = blocks[height // 2, width // 2]
        middle[:kept, :, :, :known] = np.moveaxis(basis, -1, 0)
        backward.kernel.assign(blocks.reshape(height, width, inputs, outputs))
        features = apply_in_parts(forward, features)
        known = kept
    set_gains(network)
    set_scales(network, features)


def _principal_components(features, side):
    """Eigenvectors of blocks of [N, H, W, C], [side, side, C, side²·C], best first."""
    number, height, width, channels = features.shape
    blocks = features.reshape(
        number, height // side, side, width // side, side, channels
    )
    blocks = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(-1, side * side * channels)
    moments = blocks.astype("float64").T @ blocks / len(blocks)
    vectors = np.linalg.eigh(moments)[1][:, ::-1]
    return vectors.reshape(side, side, channels, -1)
