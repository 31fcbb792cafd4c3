"""Which way of coding a picture costs least, by what the coefficient asks for.

λ · MSE + bits per pixel is what a codec minimises. Uniform quantisation with a step Δ
has the mean square Δ²/12 and takes log2 Δ bits per sample less, so that with three
samples to a pixel the sum is least at Δ² = 18 / (λ ln 2), where the MSE is
1.5 / (λ ln 2). This is the MSE that λ asks for; the networks miss it by far where they
have more than five times as much.
"""

import dataclasses
import math

import numpy as np

from yoto_tf.zoo.codec.coding.container import NO_MODEL, Container
from yoto_tf.zoo.codec.lossless.picture import MAX_TOLERANCE, encode_picture
from yoto_tf.zoo.codec.second_layer.oddity import BLOCK, odd_blocks
from yoto_tf.zoo.codec.second_layer.residual import encode_residual

_BY_FAR = 5


def may_be_missed(image, slope):
    """Whether the networks may miss by far what a slope λ asks for in some block.

    Args:
        image: uint8 [H, W, 3].
        slope: λ > 0.
    """
    return bool(odd_blocks(image, _BY_FAR * asked_error(slope)).any())


def asked_error(slope):
    """The mean square error that a slope λ asks for."""
    return 1.5 / (slope * math.log(2))


def tolerance_at(slope):
    """The greatest error of a sample that a slope λ asks for, in 0 to 127."""
    step = math.sqrt(12 * asked_error(slope))
    return min(max(int((step - 1) / 2), 0), MAX_TOLERANCE)


def cheapest(container, image, decoded, slope):
    """Of all ways to code a picture the one with the least λ · MSE + bits per pixel.

    Args:
        container: the `Container` of what the networks made of it.
        image: uint8 [H, W, 3].
        decoded: the same after decoding.
        slope: λ.

    Returns:
        A `Container`: the same, the same with a residual, or one without a model.
    """
    errors = _block_errors(image, decoded)
    missed = errors > _BY_FAR * asked_error(slope)
    if not missed.any():
        return container
    tolerance = tolerance_at(slope)
    residual = encode_residual(image, missed, tolerance)
    corrected = dataclasses.replace(container, residual=residual)
    alone = exact(image, tolerance)
    # What is coded within a tolerance has at most the error that is asked for.
    pixels = _block_pixels(image.shape[:2])
    left = np.where(missed, asked_error(slope), errors)
    costs = [
        (_cost(np.sum(errors * pixels), container, slope), container),
        (_cost(np.sum(left * pixels), corrected, slope), corrected),
        (_cost(asked_error(slope) * pixels.sum(), alone, slope), alone),
    ]
    return min(costs, key=lambda pair: pair[0])[1]


def exact(image, tolerance=0):
    """The `Container` of a picture that needs no model to be decoded."""
    height, width = image.shape[:2]
    coded = encode_picture(image, tolerance)
    return Container(NO_MODEL, (), height, width, (), lossless=coded)


def _cost(squares, container, slope):
    return slope * squares + 8 * len(container.to_bytes())


def _block_errors(image, decoded):
    """Mean square errors of blocks, float64 [h, w]."""
    sums = []
    edges = np.arange(0, image.shape[1], BLOCK)
    for top in range(0, len(image), BLOCK):
        rows = slice(top, top + BLOCK)
        difference = image[rows].astype("float32") - decoded[rows]
        sums.append(np.add.reduceat((difference**2).sum(axis=(0, 2)), edges))
    return np.array(sums, "float64") / (3 * _block_pixels(image.shape[:2]))


def _block_pixels(shape):
    """Pixels of each block, [h, w]."""
    rows, columns = (np.diff(np.arange(0, side, BLOCK), append=side) for side in shape)
    return rows[:, None] * columns
