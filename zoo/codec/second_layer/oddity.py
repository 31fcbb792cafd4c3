"""Where a picture is unlike photographs, by its pixels alone."""

import numpy as np

# Pixels along the side of what is judged, and coded anew, as one.
BLOCK = 64
# Samples are compared with neighbours this far away.
_NEAR, _FAR = 1, 4
# In 99.9 % of photographs' blocks the near ones tell more than twice as much; and less
# than half of the pixels equal the one to the left.
_FINE = 0.5
_EQUAL = 0.5
# A block of which this much is in the finest detail is not flat.
_SOME = 1
# A picture smaller than this shows neither.
_SMALL = 8


def odd_blocks(image, error):
    """Which blocks a network for photographs may get wrong.

    Args:
        image: uint8 [H, W, 3].
        error: mean square that does not matter. A block like noise is found if more
            than that lies in its finest detail, and could be lost; one of flat areas
            and edges if there is any.

    Returns:
        bool [h, w], for blocks of 64 × 64 pixels.
    """
    height, width = image.shape[:2]
    found = np.ones((-(-height // BLOCK), -(-width // BLOCK)), bool)
    if min(height, width) < _SMALL:
        return found
    for row in range(len(found)):
        top, bottom = row * BLOCK, min((row + 1) * BLOCK, height)
        # The mirror stands in for what lies beyond the picture.
        rows = _mirrored(np.arange(top - _FAR, bottom + _FAR), height)
        columns = _mirrored(np.arange(-_FAR, width + _FAR), width)
        found[row] = _odd(image[rows][:, columns], error)
    return found


def _odd(strip, error):
    green = strip[..., 1].astype("float32")
    fine, coarse = (_mean_square(_detail(green, d)) for d in (_NEAR, _FAR))
    inner = strip[_FAR:-_FAR, _FAR:-_FAR]
    before = strip[_FAR:-_FAR, _FAR - 1 : -_FAR - 1]
    equal = _block_means(np.all(inner == before, axis=-1).astype("float32"))
    noisy = (fine > _FINE * coarse) & (fine > error)
    return noisy | (equal > _EQUAL) & (fine > _SOME)


def _detail(plane, distance):
    """Samples inside of the margin less the mean of four neighbours so far away."""
    low, high = _FAR - distance, _FAR + distance

    def moved(top, left):
        bottom, right = 2 * _FAR - top, 2 * _FAR - left
        height, width = plane.shape
        return plane[top : height - bottom, left : width - right]

    around = moved(low, _FAR) + moved(high, _FAR) + moved(_FAR, low) + moved(_FAR, high)
    return moved(_FAR, _FAR) - around / 4


def _mean_square(strip):
    return _block_means(strip * strip)


def _block_means(strip):
    """Means over each block of a strip, [w]."""
    edges = np.arange(0, strip.shape[1], BLOCK)
    sums = np.add.reduceat(strip.sum(axis=0), edges)
    return sums / (len(strip) * np.diff(edges, append=strip.shape[1]))


def _mirrored(index, length):
    period = 2 * (length - 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index)
