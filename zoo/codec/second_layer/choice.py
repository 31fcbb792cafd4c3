"""Which way of coding a picture costs least, by what the coefficient asks for.

λ · MSE + bits per pixel is what a codec minimises. Uniform quantisation with a step Δ
has the mean square Δ²/12 and takes log2 Δ bits per sample less, so that with three
samples to a pixel the sum is least at Δ² = 18 / (λ ln 2), where the MSE is
1.5 / (λ ln 2). This is the MSE that λ asks for; the networks miss it by far in blocks
where they have more than five times as much.
"""

import dataclasses
import math

import numpy as np

from yoto_tf.zoo.codec.coding.container import NO_MODEL, Container
from yoto_tf.zoo.codec.lossless.picture import (
    MAX_TOLERANCE,
    decode_picture,
    encode_picture,
    tolerance_of,
)
from yoto_tf.zoo.codec.second_layer.oddity import BLOCK, odd_blocks
from yoto_tf.zoo.codec.second_layer.residual import decode_residual, encode_residual

_BY_FAR = 5
# From this share of odd blocks on, all of a picture may be coded without a network.
_MANY = 0.25


def with_second_layer(container, image, decode):
    """The coded picture, with a second layer where the networks are far off.

    Args:
        container: the `Container` that the networks made of the picture.
        image: uint8 [H, W, 3].
        decode: function of nothing to the same after decoding, uint8 [H, W, 3]; called
            only where the picture is unlike photographs.

    Returns:
        A `Container`: the same, or the `cheapest`.
    """
    slope = container.coefficients[0]
    odd = may_be_missed(image, slope)
    if not odd.any():
        return container
    return cheapest(container, image, decode().copy(), odd, slope)


def may_be_missed(image, slope):
    """In which blocks the networks may miss by far what a slope λ asks for.

    Args:
        image: uint8 [H, W, 3].
        slope: λ > 0.

    Returns:
        bool [h, w], see `odd_blocks`.
    """
    return odd_blocks(image, _BY_FAR * asked_error(slope))


def asked_error(slope):
    """The mean square error that a slope λ asks for."""
    return 1.5 / (slope * math.log(2))


def tolerance_at(slope):
    """The greatest error of a sample that a slope λ asks for, in 0 to 127."""
    step = math.sqrt(12 * asked_error(slope))
    return min(max(int((step - 1) / 2), 0), MAX_TOLERANCE)


def cheapest(container, image, decoded, odd, slope):
    """Of all ways to code a picture the one with the least λ · MSE + bits per pixel.

    Args:
        container: the `Container` that the networks made of the picture.
        image: uint8 [H, W, 3].
        decoded: the same after decoding; may be overwritten.
        odd: bool [h, w], blocks to look at. Where they are few, the networks are not
            given up for the others.
        slope: λ.

    Returns:
        A `Container`: the same, the same with a residual, or one without a model.
    """
    size = image.shape[:2]
    tolerance = tolerance_at(slope)
    pixels = _block_pixels(size)

    def cost(container, errors):
        return slope * np.sum(errors * pixels) + 8 * len(container.to_bytes())

    errors = _block_errors(image, decoded)
    costs = [(cost(container, errors), container)]
    missed = odd & (errors > _BY_FAR * asked_error(slope))
    if missed.any():
        residual = encode_residual(image, missed, tolerance)
        decode_residual(residual, *size)(decoded)
        corrected = dataclasses.replace(container, residual=residual)
        costs.append((cost(corrected, _block_errors(image, decoded)), corrected))
    if odd.mean() > _MANY:
        alone = exact(image, tolerance)
        errors = _block_errors(image, decode_picture(alone.lossless, *size))
        costs.append((cost(alone, errors), alone))
    return min(costs, key=lambda pair: pair[0])[1]


def in_words(container):
    """What codes a picture besides the networks, or None."""
    if container.residual is not None:
        return "residual"
    if container.lossless is None:
        return None
    tolerance = tolerance_of(container.lossless)
    return f"near-lossless, samples within {tolerance}" if tolerance else "lossless"


def exact(image, tolerance=0):
    """The `Container` of a picture that needs no model to be decoded."""
    height, width = image.shape[:2]
    coded = encode_picture(image, tolerance)
    return Container(NO_MODEL, (), height, width, (), lossless=coded)


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
