"""Where a picture is unlike photographs, by its pixels alone."""

import numpy as np

# Pixels along the side of what is judged, and coded anew, as one.
BLOCK = 64
# Samples are compared with neighbours this far away.
_NEAR, _FAR = 1, 4
# In all but about one in a hundred blocks of photographs the squared difference to near
# neighbours is below half of that to far ones. In flat areas more than half of the
# pixels equal the one to the left.
_FINE = 0.5
_EQUAL = 0.5
# A picture of flat areas with this much in its finest detail has edges too, and one
# with this share of equal pixels in every block has nothing else.
_SOME = 1
_ALL = 0.99
# Pictures with a side below this are too small for either test.
_SMALL = 8


def odd_blocks(image, error):
    """Which blocks a network for photographs may get wrong.

    Args:
        image: uint8 [H, W, 3].
        error: mean square that does not matter: blocks with less than that in their
            finest detail cannot lose more. Not so in a picture that consists of flat
            areas and edges, or of one flat area: all its blocks are found, for another
            way may take fewer bytes.

    Returns:
        bool [h, w], for blocks of 64 × 64 pixels.
    """
    height, width = image.shape[:2]
    shape = -(-height // BLOCK), -(-width // BLOCK)
    if min(height, width) < _SMALL:
        return np.ones(shape, bool)
    fine, coarse, equal = np.empty((3, *shape), "float32")
    columns = _mirrored(np.arange(-_FAR, width + _FAR), width)
    for row in range(shape[0]):
        top, bottom = row * BLOCK, min((row + 1) * BLOCK, height)
        # The mirror stands in for what lies beyond the picture.
        rows = _mirrored(np.arange(top - _FAR, bottom + _FAR), height)
        strip = image[rows][:, columns]
        green = strip[..., 1].astype("float32")
        fine[row] = _block_means(_detail(green, _NEAR) ** 2)
        coarse[row] = _block_means(_detail(green, _FAR) ** 2)
        inner = strip[_FAR:-_FAR, _FAR:-_FAR]
        before = strip[_FAR:-_FAR, _FAR - 1 : -_FAR - 1]
        equal[row] = _block_means(np.all(inner == before, axis=-1).astype("float32"))
    is_drawing = equal.mean() > _EQUAL and fine.mean() > _SOME
    if is_drawing or equal.min() > _ALL:
        return np.ones(shape, bool)
    return ((fine > _FINE * coarse) | (equal > _EQUAL)) & (fine > error)


def _detail(plane, distance):
    """Samples inside of the margin less the mean of four neighbours so far away."""
    low, high = _FAR - distance, _FAR + distance

    def moved(top, left):
        bottom, right = 2 * _FAR - top, 2 * _FAR - left
        height, width = plane.shape
        return plane[top : height - bottom, left : width - right]

    around = moved(low, _FAR) + moved(high, _FAR) + moved(_FAR, low) + moved(_FAR, high)
    return moved(_FAR, _FAR) - around / 4


def _block_means(strip):
    """Means over each block of a strip, [w]."""
    edges = np.arange(0, strip.shape[1], BLOCK)
    sums = np.add.reduceat(strip.sum(axis=0), edges)
    return sums / (len(strip) * np.diff(edges, append=strip.shape[1]))


def _mirrored(index, length):
    period = 2 * (length - 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index)
