"""Frequencies of errors, given how large an error is expected: counted while coding.

Errors become tokens: small ones have their own, larger ones share one with those of
about their size, and the digits that tell them apart are stored as they are. The
frequencies of tokens are counted in contexts, of like expected errors, and brought up
to date every so many symbols, by encoder and decoder alike.
"""

import functools

import numpy as np

from yoto_tf.zoo.codec.lossless.interleaved_rans import PRECISION, FrequencyTables
from yoto_tf.zoo.codec.lossless.prediction import PREDICTION_BITS, SCALE_BITS

# Errors of up to 15 have a token each; 16 to 255 are halved four times in an octave.
_EXACT = 15
TOKENS = 2 * _EXACT + 1 + 32
# Expected errors differ by a factor of 2^(1/3) from one context to the next.
_LEVELS = 32
_PER_OCTAVE = 3
CONTEXTS = 2 * _LEVELS
# What one symbol adds to the counts, what is there at first, and where they are halved.
_INCREMENT = 32
_PRIOR = 32 * 24
_LIMIT = 1 << 19
_LEAST, _MOST = 256, 1 << 14


def _thresholds():
    """Expected errors, in 1/64, at which contexts begin, ascending."""
    # Cube roots of powers of two, in integers.
    roots = [1 << 20, 1321123, 1664511]
    table = []
    for level in range(1, _LEVELS):
        octave, third = divmod(level, _PER_OCTAVE)
        table.append((roots[third] << octave) * 3 >> 20)
    return np.array(table, "int32")


THRESHOLDS = _thresholds()


def contexts_of(scale, fraction, step):
    """The contexts of samples.

    Args:
        scale: int32 array, expected errors in 1/64.
        fraction: int32 array, distance of the prediction from the integer next to it,
            in 1/1024.
        step: what errors are multiples of.

    Returns:
        uint8 array of the same shape.
    """
    level = np.searchsorted(THRESHOLDS * step, scale, side="right")
    far = 4 * np.abs(fraction) > step << PREDICTION_BITS
    return (2 * level + far).astype("uint8")


def split(errors):
    """Errors of -255 to 255 to tokens, and to digits that tell those of a token apart.

    Returns:
        uint8 tokens, digits, and numbers of binary digits, of the shape of `errors`.
    """
    token, digits, widths = _splitting()
    at = errors + 255
    return token[at], digits[at], widths[at]


def widths_of(tokens):
    """Numbers of binary digits that tokens are followed by."""
    return _joining()[1][tokens]


def join(tokens, digits):
    """What `split` splits; int32."""
    return _joining()[0][tokens] + np.where(
        tokens & 1, digits, -digits.astype("int32")
    ).astype("int32")


@functools.cache
def _splitting():
    table = np.zeros((3, 511), "uint8")
    for error in range(-255, 256):
        size, positive = abs(error), error > 0
        if size <= _EXACT:
            token, digits, width = max(2 * size - positive, 0), 0, 0
        else:
            width = size.bit_length() - 3
            bucket = 4 * (width - 2) + (size >> width) - 4
            token = 2 * _EXACT + 2 * (bucket + 1) - positive
            digits = size & (1 << width) - 1
        table[:, error + 255] = token, digits, width
    return table


@functools.cache
def _joining():
    first, widths = np.zeros(TOKENS, "int32"), np.zeros(TOKENS, "uint8")
    token, digits, width = _splitting()
    for error in range(-255, 256):
        if digits[error + 255] == 0:
            first[token[error + 255]] = error
            widths[token[error + 255]] = width[error + 255]
    return first, widths


class Statistics:
    """Counts of tokens in every context."""

    def __init__(self):
        self._counts = _prior().copy()
        self._seen = 0

    def pieces(self, count):
        """(begin, end) of the pieces between which the frequencies are renewed."""
        begin = 0
        while begin < count:
            size = min(max(self._seen // 4, _LEAST), _MOST)
            end = min(begin + size, count)
            yield begin, end
            begin = end

    def tables(self):
        """The frequencies as they are now."""
        counts = self._counts
        sums = counts.sum(axis=1, keepdims=True)
        spare = (1 << PRECISION) - TOKENS
        frequencies = 1 + counts * spare // sums
        # Rounding leaves some over, for the most frequent.
        most = np.argmax(counts, axis=1)
        rows = np.arange(CONTEXTS)
        frequencies[rows, most] += (1 << PRECISION) - frequencies.sum(axis=1)
        return FrequencyTables(frequencies)

    def count(self, contexts, tokens):
        """Counts symbols that have been coded."""
        pairs = contexts.astype("int64") * TOKENS + tokens
        new = np.bincount(pairs, minlength=CONTEXTS * TOKENS)
        self._counts += _INCREMENT * new.reshape(CONTEXTS, TOKENS)
        self._counts[self._counts.sum(axis=1) > _LIMIT] >>= 1
        self._seen += len(tokens)


@functools.cache
def _prior():
    """int64 [contexts, tokens], counts before anything is known: geometric."""
    counts = np.zeros((CONTEXTS, TOKENS), "int64")
    token = _splitting()[0]
    for level in range(_LEVELS):
        scale = int(THRESHOLDS[max(level - 1, 0)])
        weights, weight = [], 1 << 40
        for _ in range(256):
            weights.append(weight)
            weight = weight * scale // (scale + (1 << SCALE_BITS))
        sums = [0] * TOKENS
        for error in range(-255, 256):
            sums[token[error + 255]] += weights[abs(error)]
        whole = sum(sums)
        row = [part * _PRIOR // whole for part in sums]
        counts[2 * level : 2 * level + 2] = row
    return counts
