"""Starts a codec as a linear transform codec that is good at every λ.

From random weights a codec spends most of a short training on learning what is known
beforehand: that a few orthonormal filters hold nearly all of an image's energy, how
wide each latent's distribution is, and that the quantisation step falls with the square
root of λ. Here

- every strided convolution of the analysis begins as the principal components of its
  input's 2×2 blocks, in the central taps of the kernel; the synthesis as the transpose;
- GDN and its inverse begin near the identity;
- the gain before rounding begins as sqrt(λ) up to a constant, its inverse likewise;
- the scale tower begins at each latent's measured deviation.

All is computed layer by layer on a few hundred patches, in seconds.
"""

import math

import numpy as np
from keras import ops

from yoto_tf.zoo.pixels import CONTRAST

# Rate-optimal uniform quantisation has λ · d(Δ²/12) = d log2(Δ) a sample, that is a
# step Δ = sqrt(18 / (λ ln 2)) in pixel values for three samples a pixel.
_STEP_SQUARED = 18 / math.log(2)
# Energy that GDN begins to divide by, as a share of its unit offset.
_GDN_SHARE = 0.005
# Of the usual initialisation, what the taps without a principal component keep: enough
# to tell units apart, too little to disturb the transform.
_NOISE = 0.1


def start_as_linear_codec(network, patches):
    """Sets the initial weights of a built `Hyperprior`, or one like it, in place.

    Args:
        network: has `analysis`, `synthesis`, `log_gain`, `log_inverse_gain`,
            `scale_synthesis` and `coefficients`.
        patches: images [N, H, W, 3] in [0, 1], H and W multiples of 16; a few hundred
            of 128×128 are plenty.
    """
    features = (np.asarray(patches, "float32") - 0.5) * CONTRAST
    analysis, synthesis = network.analysis, network.synthesis
    known = 3
    for layer, convolution in enumerate(analysis.convolutions):
        basis = _principal_components(features[..., :known])
        kept = min(basis.shape[-1], convolution.filters)
        basis = basis[..., :kept]
        _set_central_taps(convolution, basis, known, kept)
        transposed = synthesis.convolutions[-1 - layer]
        _set_central_taps(transposed, np.swapaxes(basis, 2, 3), kept, known, True)
        features = _apply(convolution, features)
        if layer < len(analysis.activations):
            gdn = analysis.activations[layer]
            _near_identity(gdn, features)
            _near_identity(synthesis.activations[-1 - layer], features)
            features = _apply(gdn, features)
        known = kept
    set_gains(network.log_gain, network.coefficients)
    set_gains(network.log_inverse_gain, network.coefficients, sign=-1)
    set_scales(network, features)


def _principal_components(features):
    """Eigenvectors of the 2×2 blocks of [N, H, W, C], as [2, 2, C, 4C], best first."""
    channels = features.shape[-1]
    blocks = np.stack(
        [features[:, i::2, j::2] for i in (0, 1) for j in (0, 1)], axis=-2
    ).reshape(-1, 4 * channels)
    moments = blocks.astype("float64").T @ blocks / len(blocks)
    vectors = np.linalg.eigh(moments)[1][:, ::-1]
    return vectors.reshape(2, 2, channels, 4 * channels)


def _set_central_taps(convolution, taps, inputs, outputs, transposed=False):
    """Writes `taps` [2, 2, ., .] over the 5×5 kernel's taps of the 2×2 block."""
    kernel = _NOISE * ops.convert_to_numpy(convolution.kernel)
    if transposed:
        # Keras keeps transposed kernels as [height, width, outputs, inputs].
        kernel[:, :, :outputs, :inputs] = 0
        kernel[1:3, 1:3, :outputs, :inputs] = np.swapaxes(taps, 2, 3)
    else:
        kernel[:, :, :inputs, :outputs] = 0
        kernel[1:3, 1:3, :inputs, :outputs] = taps
    convolution.kernel.assign(kernel)


def _apply(layer, features):
    """A layer's output as a float32 array, computed in parts to spare memory."""
    parts = [layer(batch) for batch in np.array_split(features, 8)]
    return ops.convert_to_numpy(ops.cast(ops.concatenate(parts), "float32"))


def _near_identity(gdn, features):
    energy = np.mean(np.square(features), axis=(0, 1, 2)) + 1e-3
    root_gamma = ops.convert_to_numpy(gdn.root_gamma).copy()
    np.fill_diagonal(root_gamma, np.sqrt(_GDN_SHARE / energy))
    gdn.root_gamma.assign(root_gamma)


def set_scales(network, latents):
    """Starts the scale tower at the measured deviation of each latent channel."""
    variance = np.mean(np.square(latents), axis=(0, 1, 2)) + 1e-4
    network.scale_synthesis.convolutions[-1].bias.assign(np.log(variance) / 2)


def set_gains(log_gain, coefficients, deviation=1.0, sign=1):
    """Starts gains as sqrt(λ) up to a constant, or as their reciprocals:

        log gain = sign · (½ log λ + log deviation + constant).

    The embedding's first entry is log λ, standardised.

    Args:
        log_gain: a built `LogGain`.
        coefficients: those of the network.
        deviation: by how much each latent channel has been divided, [C] or one number.
        sign: 1, or −1 for the gains after rounding.
    """
    [(low, high)] = coefficients.ranges().values()
    slope = math.log(high / low) / math.sqrt(12) / 2
    constant = math.log(255 / CONTRAST) - math.log(_STEP_SQUARED) / 2
    middle = math.log(low * high) / 4 + constant + np.log(deviation)
    kernel = ops.convert_to_numpy(log_gain.dense.kernel).copy()
    kernel[0] = sign * slope / log_gain.strength
    log_gain.dense.kernel.assign(kernel)
    bias = np.broadcast_to(sign * middle / log_gain.strength, (log_gain.channels,))
    log_gain.dense.bias.assign(bias)
