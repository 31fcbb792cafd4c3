"""The weights of a picture's predictions: least squares over a sample of its places.

Only the encoder fits; what it finds is rounded to integers and stored.
"""

import numpy as np

from yoto_tf.zoo.codec.lossless.prediction import (
    MAX_WEIGHT,
    SCALE_WEIGHT_BITS,
    WEIGHT_BITS,
    magnitudes,
    num_magnitudes,
    num_terms,
    terms,
)

# Places of a pass that are looked at; more of them hardly change the weights.
_PLACES = 2**14
# The default weighs as much as this many places.
_PRIOR_PLACES = 16
_ROUNDS = 3


def fit_prediction(levels, channel, name):
    """Weights that predict the samples of a pass.

    Args:
        levels: list of `Planes` in which all samples are known.
        channel: int.
        name: of the pass.

    Returns:
        int32 array [`num_terms`].
    """
    default = default_prediction(channel, name) / 2**WEIGHT_BITS
    rows = []
    for planes in levels:
        for first, last in _runs(planes, channel, name):
            base, *others = terms(planes, channel, name, (first, last))
            sample = planes.samples[channel].neighbour(name, (0, 0), (first, last))
            rows.append(_flat([*others, 4 * sample - base]))
    if not rows:
        return _rounded(default, WEIGHT_BITS)
    x, y = np.split(np.concatenate(rows), [-1], axis=1)
    # Large errors count by their magnitude, as they do in bits.
    return _rounded(
        _weighted_fit(x, y[:, 0], default, lambda fitted, y: 1 / (4 + abs(y - fitted))),
        WEIGHT_BITS,
    )


def default_prediction(channel, name):
    """Weights without a fit: channels differ from their neighbours alike."""
    weights = np.zeros(num_terms(channel, name), "int32")
    if channel:
        weights[16] = 1 << WEIGHT_BITS
    return weights


def fit_scale(levels, channel, name):
    """Weights of the expected error of a pass.

    Args:
        levels: list of (planes, magnitudes): `Planes` in which all samples and errors
            are known; of the pass' predictions the magnitudes of errors, [h, w].
        channel: int.
        name: of the pass.

    Returns:
        int32 array [`num_magnitudes`].
    """
    default = default_scale(channel) / 2**SCALE_WEIGHT_BITS
    rows = []
    for planes, missed in levels:
        for first, last in _runs(planes, channel, name):
            parts = magnitudes(planes, channel, name, (first, last))
            rows.append(
                _flat([*parts, np.ones_like(missed[first:last]), missed[first:last]])
            )
    if not rows:
        return _rounded(default, SCALE_WEIGHT_BITS)
    x, y = np.split(np.concatenate(rows), [-1], axis=1)
    # The deviation of a magnitude is about the magnitude itself.
    return _rounded(
        _weighted_fit(
            x, y[:, 0], default, lambda fitted, _: 1 / np.maximum(fitted, 0.1) ** 2
        ),
        SCALE_WEIGHT_BITS,
    )


def default_scale(channel):
    """Weights of an expected error without a fit."""
    weights = np.zeros(num_magnitudes(channel), "int32")
    # Eight differences times four; four errors; a constant of 1/8.
    weights[:8], weights[8], weights[9 + 3 * channel] = 8, 64, 128
    if channel:
        weights[9] = 256
    return weights


def _weighted_fit(x, y, default, importance):
    """Least squares of y − x·w; what the places do not determine is as in the default.

    Args:
        x: float32 [N, K].
        y: float32 [N].
        default: [K].
        importance: function of x·w and y to the weight of each place.
    """
    ridge = np.diag(_PRIOR_PLACES * (np.mean(x * x, axis=0) + 1))
    weights = default
    for _ in range(_ROUNDS):
        important = importance(x @ weights.astype("float32"), y)
        weighted = x * important[:, None]
        prior = ridge * np.mean(important)
        gram = (weighted.T @ x + prior).astype("float64")
        weights = np.linalg.solve(gram, weighted.T @ y + prior @ default)
    return weights


def _rounded(weights, bits):
    rounded = np.rint(weights * 2**bits)
    return np.clip(rounded, -MAX_WEIGHT, MAX_WEIGHT).astype("int32")


def _flat(arrays):
    return np.stack(arrays, -1).reshape(-1, len(arrays)).astype("float32")


def _runs(planes, channel, name):
    """Runs of rows, evenly spread, that hold about as many places as are wanted."""
    height, width = planes.samples[channel].shape(name)
    if not height * width:
        return []
    wanted = max(_PLACES // width, 1)
    if wanted >= height:
        return [(0, height)]
    runs = min(wanted, 16)
    size = wanted // runs
    starts = np.linspace(0, height - size, runs).astype(int)
    return [(int(start), int(start) + size) for start in starts]
