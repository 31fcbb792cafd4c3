"""Predictions of samples and of the errors of these: linear, in integers.

The base is the mean of the four nearest neighbours. What is added to it is a weighted
sum of how other neighbours differ from it, of how the mean along an edge does, and, in
a channel after the first, of how the channels before differ from their own base at this
place. The expected error is such a sum of magnitudes: differences around, and errors
made around here before.
"""

import dataclasses

import numpy as np

from yoto_tf.zoo.codec.lossless.lattice import NEIGHBOURHOODS, Lattice

# Weights of a prediction are multiples of 1/256, predictions of 1/1024; those of an
# expected error are multiples of 1/1024, and it is one of 1/64.
WEIGHT_BITS = 8
PREDICTION_BITS = WEIGHT_BITS + 2
SCALE_WEIGHT_BITS = 10
SCALE_BITS = 6
# With it the sums stay below 2^31.
MAX_WEIGHT = 4095
# Positions predicted at a time: their terms stay in the cache.
_POSITIONS = 2**15


@dataclasses.dataclass
class Planes:
    """What is known of the channels at one spacing.

    Attributes:
        samples: `Lattice` of each channel.
        errors: `Lattice` of each channel, the coded differences from predictions.
    """

    samples: list
    errors: list

    @classmethod
    def of(cls, channels):
        """Those in which all samples are known, int32 [C, H, W], and no errors."""
        return cls([Lattice.of(channel) for channel in channels], [])


def terms(planes, channel, name, rows):
    """Yields what is weighted in a prediction: first the base, times four.

    Args:
        planes: `Planes`.
        channel: int.
        name: of the pass.
        rows: (first, last) of its rows.

    Yields:
        The base times four, then int32 arrays, differences times four.
    """
    around = NEIGHBOURHOODS[name]
    own = planes.samples[channel]

    def sample(lattice, offset):
        return lattice.neighbour(name, offset, rows)

    base = _base(own, name, rows)
    yield base
    for offset in (*around.nearest[1:], *around.others):
        yield 4 * sample(own, offset) - base
    yield _along_edge(own, name, rows) - base
    for lattice in planes.samples[:channel]:
        past = _base(lattice, name, rows)
        for offset in around.past:
            yield 4 * sample(lattice, offset) - past
        yield _along_edge(lattice, name, rows) - past
        # Where the own neighbours are far away, so are these.
        if name == "D":
            for offset in around.others:
                yield 4 * sample(lattice, offset) - past


def magnitudes(planes, channel, name, rows):
    """Yields what is weighted in an expected error, int32 arrays ≥ 0."""
    around = NEIGHBOURHOODS[name]
    own, errors = planes.samples[channel], planes.errors[channel]
    base = _base(own, name, rows)
    for offset in (*around.nearest, *around.others[:4]):
        yield np.abs(4 * own.neighbour(name, offset, rows) - base)
    yield sum(np.abs(errors.neighbour(name, o, rows)) for o in around.nearest)
    for before in range(channel):
        errors, lattice = planes.errors[before], planes.samples[before]
        yield np.abs(errors.neighbour(name, (0, 0), rows))
        yield sum(np.abs(errors.neighbour(name, o, rows)) for o in around.past[1:5])
        past = _base(lattice, name, rows)
        yield np.abs(4 * lattice.neighbour(name, (0, 0), rows) - past)


def num_terms(channel, name):
    """Number of weights of a prediction."""
    return 16 + channel * (22 if name == "D" else 10)


def num_magnitudes(channel):
    """Number of weights of an expected error, its constant included."""
    return 10 + 3 * channel


def predict(planes, channel, name, weights):
    """Predictions of all samples of a pass.

    Args:
        planes: `Planes`, in which all that comes before the pass is known.
        channel: int.
        name: of the pass.
        weights: int array [`num_terms`], multiples of 1/256, at most `MAX_WEIGHT`.

    Returns:
        int32 [h, w], in 1/1024, within the samples' range.
    """
    prediction = np.empty(planes.samples[channel].shape(name), "int32")
    for rows in _blocks(*prediction.shape):
        base, *parts = terms(planes, channel, name, rows)
        total = _weighted_sum(base << WEIGHT_BITS, weights, parts)
        prediction[slice(*rows)] = np.clip(total, 0, 255 << PREDICTION_BITS)
    return prediction


def expect(planes, channel, name, weights):
    """Expected magnitudes of the errors of a pass.

    Args:
        planes: as for `predict`.
        channel: int.
        name: of the pass.
        weights: int array [`num_magnitudes`], multiples of 1/1024, at most
            `MAX_WEIGHT`; the last is the constant.

    Returns:
        int32 [h, w], in 1/64, at least 1.
    """
    expected = np.empty(planes.samples[channel].shape(name), "int32")
    *weights, constant = weights
    for rows in _blocks(*expected.shape):
        parts = magnitudes(planes, channel, name, rows)
        total = np.full(expected[slice(*rows)].shape, constant, "int32")
        total = _weighted_sum(total, weights, parts)
        total >>= SCALE_WEIGHT_BITS - SCALE_BITS
        expected[slice(*rows)] = np.maximum(total, 1)
    return expected


def _blocks(height, width):
    step = max(_POSITIONS // max(width, 1), 1)
    return [(first, min(first + step, height)) for first in range(0, height, step)]


def _weighted_sum(total, weights, parts):
    for weight, part in zip(weights, parts, strict=True):
        if weight:
            total += int(weight) * part
    return total


def _base(lattice, name, rows):
    nearest = NEIGHBOURHOODS[name].nearest
    base = lattice.neighbour(name, nearest[0], rows).copy()
    for offset in nearest[1:]:
        base += lattice.neighbour(name, offset, rows)
    return base


def _along_edge(lattice, name, rows):
    """The mean of two pairs of opposite neighbours, times four.

    The less a pair differs, the more it weighs.
    """
    one, two, three, four = (
        lattice.neighbour(name, offset, rows) for offset in _pairs(name)
    )
    differs, other = np.abs(one - two) + 1, np.abs(three - four) + 1
    mean = (one + two) * other + (three + four) * differs
    return (mean << 1) // (differs + other)


def _pairs(name):
    one, two, three, four = NEIGHBOURHOODS[name].nearest
    return (one, four, two, three) if name == "D" else (one, two, three, four)
