"""Rounds probabilities to the integer frequencies of a range coder."""

import heapq
import math

import numpy as np

from yoto_tf.entropy.tfc_ops import load_tfc_ops


def quantize_pmf(pmf, precision):
    """Rounds a probability mass function to integers that sum to 2**precision.

    Every frequency is at least 1, so that every symbol can be coded. After rounding,
    the frequencies that cost the fewest bits to lower (or gain the most when raised)
    are moved one at a time until the sum fits.

    This is TensorFlow Compression's `pmf_to_quantized_cdf`, which is used where it can
    be loaded. Elsewhere the result has the same cost in bits; it can differ in which of
    several equally probable symbols was moved.

    Args:
        pmf: float array [N] of non-negative numbers, N from 2 to 2**precision.
        precision: int from 1 to 16.

    Returns:
        int32 array [N].
    """
    pmf = np.asarray(pmf, "float32")
    ops = load_tfc_ops()
    if ops is None:
        return balance_frequencies(pmf, precision)
    return np.diff(ops.pmf_to_quantized_cdf(pmf, precision=precision).numpy())


def balance_frequencies(pmf, precision):
    """What `quantize_pmf` does, in Python.

    Args:
        pmf: float32 array [N] of non-negative numbers, N from 2 to 2**precision.
        precision: int from 1 to 16.

    Returns:
        int32 array [N].
    """
    total = 1 << precision
    frequencies = np.maximum(np.rint(pmf * np.float32(total)), 1).astype(int).tolist()
    excess = sum(frequencies) - total
    step = -1 if excess > 0 else 1

    def bits_lost(symbol):
        old = frequencies[symbol]
        if old + step < 1:
            return math.inf
        return float(pmf[symbol]) * (math.log2(old) - math.log2(old + step))

    # The count keeps equals first in, first out.
    queue = [(bits_lost(s), s, s) for s in range(len(frequencies))]
    heapq.heapify(queue)
    for count in range(abs(excess)):
        _, _, symbol = queue[0]
        frequencies[symbol] += step
        heapq.heapreplace(queue, (bits_lost(symbol), len(queue) + count, symbol))
    return np.array(frequencies, "int32")
