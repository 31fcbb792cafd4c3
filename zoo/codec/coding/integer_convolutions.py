"""Convolutions of integers, held in floating point, in the type of the features."""

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from yoto_tf.machine.blas import single_threaded_blas

# Places whose neighbourhoods a thread gathers at a time.
_GATHERED_POSITIONS = 2**8


@contextlib.contextmanager
def threads():
    """As many threads as NumPy's products would have, each of which multiplies alone.

    Yields:
        A function that calls another with each of an iterable's elements.
    """
    with single_threaded_blas() as count, ThreadPoolExecutor(count) as pool:
        yield lambda function, elements: list(pool.map(function, elements))


def convolve(features, kernel, run):
    """A 3×3 convolution, stride 1, zero padding: [h, w, I] to [h, w, O].

    Args:
        features: [h, w, I].
        kernel: [3, 3, I, O] of the same type.
        run: see `threads`.
    """
    taps = [(i, j, kernel[i, j]) for i in range(3) for j in range(3)]
    return _correlate(features, taps, run)


def upsample(features, kernel, run):
    """A transposed 5×5 convolution, stride 2, padded as Keras' "same".

    [h, w, I] to [2h, 2w, O]. Input position i reaches the outputs 2i − 1 … 2i + 3, so
    that even outputs have two taps in either direction and odd ones three.

    Args:
        features: [h, w, I].
        kernel: [5, 5, I, O] of the same type.
        run: see `threads`.
    """
    height, width, _ = features.shape
    result = np.empty((height, 2, width, 2, kernel.shape[-1]), features.dtype)
    for row, column in itertools.product((0, 1), (0, 1)):
        taps = [
            (i, j, kernel[1 + row + 2 * (1 - i), 1 + column + 2 * (1 - j)])
            for i, j in itertools.product(range(2 + row), range(2 + column))
        ]
        result[:, row, :, column] = _correlate(features, taps, run)
    return result.reshape(2 * height, 2 * width, -1)


def _correlate(features, taps, run):
    """Sums over 3×3 neighbourhoods, zeros around: [h, w, I] to [h, w, O].

    Args:
        features: [h, w, I].
        taps: list of (row, column, kernel [I, O]), the row and column from 0 to 2.
        run: see `threads`.
    """
    height, width, _ = features.shape
    padded = np.pad(features, ((1, 1), (1, 1), (0, 0)))
    kernel = np.concatenate([part for _, _, part in taps])
    result = np.empty((height * width, kernel.shape[-1]), features.dtype)
    # One matrix product is faster than one a tap; in pieces it stays in the cache.
    step = max(_GATHERED_POSITIONS // width, 1)

    def multiply(begin):
        end = min(begin + step, height)
        gathered = np.concatenate(
            [padded[begin + i : end + i, j : j + width] for i, j, _ in taps], axis=-1
        )
        np.matmul(
            gathered.reshape(-1, len(kernel)),
            kernel,
            out=result[begin * width : end * width],
        )

    run(multiply, range(0, height, step))
    return result.reshape(height, width, -1)
