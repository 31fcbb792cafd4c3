"""Overlapping tiles: large feature maps part by part, the same as at once.

What a convolutional network makes of a place depends on its surroundings up to a fixed
reach. A tile that is larger than what is kept of it by this reach on every side, or
ends where the picture ends, therefore gives what the whole picture gives, to the last
bit where the arithmetic of a place does not depend on the size of its tile. It does so
least where rows are as long as in the whole, so tiles are as wide as the picture if
they can. All tiles of a picture have one size, which is a function of the picture's.
"""

import math

import numpy as np
from keras import ops

from yoto_tf.machine.compilation import compiled
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.codec.tiling.spans import spans

# Numbers in the largest feature map of a tile; several such maps are in use at once.
VALUES = 2**25


def tile_size(height, width, area, reach):
    """Rows and columns of tiles that hold about `area` places.

    The whole map if it fits; else as wide as leaves four times the reach in height.
    """
    if height * width <= area:
        return height, width
    overlap = sum(reach)
    columns = _fewest(width, max(area // (4 * overlap), 4 * overlap), overlap)
    rows = _fewest(height, max(area // columns, 4 * overlap), overlap)
    return rows, columns


def _fewest(length, longest, overlap):
    """The size of the fewest equal spans of at most `longest` that cover an axis."""
    if length <= longest:
        return length
    count = math.ceil((length - overlap) / (longest - overlap))
    return math.ceil((length - overlap) / count) + overlap


class TiledGraph:
    """A part of a network that can run in tiles.

    The grid it is tiled on is that of the coarsest map it reads or writes; all others
    are a whole number of times larger.

    Args:
        function: graph of the input maps [1, h, w, C] and the coefficients [1, K] to
            the output map.
        reach: how many places (before, after) itself a place of the grid looks.
        values: numbers that a place of the grid has in its largest map.

    Attributes:
        function, reach, values: the same.
    """

    def __init__(self, function, reach, values):
        self.function = function
        self.reach = reach
        self.values = values
        self._compiled = compiled(function)

    @property
    def area(self):
        """Places of the grid that a tile may have."""
        return max(1, VALUES // self.values)

    def run(self, inputs, output, vector):
        """Fills the output map.

        Args:
            inputs: arrays [h, w, C] without batch axis, or what slices like them.
            output: the array to fill. It may share its memory with inputs of the same
                size.
            vector: coefficient vector [K].
        """
        maps = [*inputs, output]
        grid = tuple(min(x.shape[axis] for x in maps) for axis in (0, 1))
        factors = [x.shape[0] // grid[0] for x in maps]
        rows, columns = (
            spans(length, size, self.reach)
            for length, size in zip(
                grid, tile_size(*grid, self.area, self.reach), strict=True
            )
        )
        inputs = [
            _Overwritten(x, factor, rows) if _shares_memory(x, output) else x
            for x, factor in zip(inputs, factors, strict=False)
        ]
        vector = ops.convert_to_tensor(vector[None])
        tiles = [(row, column) for row in rows for column in columns]
        for row, column in progress_bar(tiles, unit="tile", leave=False):
            cut = [
                ops.convert_to_tensor(x[window(row[:2], column[:2], factor)][None])
                for x, factor in zip(inputs, factors, strict=False)
            ]
            result = ops.convert_to_numpy(self._compiled(*cut, vector))[0]
            kept = window(shifted(row), shifted(column), factors[-1])
            output[window(row[2:], column[2:], factors[-1])] = result[kept]


class _Overwritten:
    """An array as it was before an output took its place, row of tiles by row.

    Args:
        array: [h, w, C].
        factor: its places for one of the grid.
        rows: spans of the grid's rows.
    """

    def __init__(self, array, factor, rows):
        self.shape = array.shape
        self._array = array
        self._ends = {begin * factor: end * factor for begin, end, *_ in rows}
        self._begin, self._kept = 0, array[:0].copy()

    def __getitem__(self, window):
        rows, columns = window
        if rows.start != self._begin or not len(self._kept):
            # What is below the last row of tiles has not been overwritten yet.
            old = self._kept[rows.start - self._begin :]
            new = self._array[rows.start + len(old) : self._ends[rows.start]]
            self._begin, self._kept = rows.start, np.concatenate([old, new])
        return self._kept[:, columns]


class EdgePadded:
    """A picture that repeats its last row and column, padded only where it is read.

    Args:
        image: [H, W, C].
        multiple: what its sides seem to be multiples of.
    """

    def __init__(self, image, multiple):
        self._image = image
        sides = (-(-side // multiple) * multiple for side in image.shape[:2])
        self.shape = (*sides, image.shape[2])

    def __getitem__(self, window):
        inside = tuple(
            slice(min(part.start, side - 1), min(part.stop, side))
            for part, side in zip(window, self._image.shape, strict=False)
        )
        missing = [
            (0, (part.stop - part.start) - (real.stop - real.start))
            for part, real in zip(window, inside, strict=True)
        ]
        return np.pad(self._image[inside], (*missing, (0, 0)), mode="edge")


def _shares_memory(array, output):
    return isinstance(array, np.ndarray) and np.may_share_memory(array, output)


def window(rows, columns, factor):
    """Slices of a map that is `factor` times as large as the grid of two spans."""
    return tuple(slice(a * factor, b * factor) for a, b in (rows, columns))


def shifted(span):
    """Where, in the output of a span, what is kept of it begins and ends."""
    begin, _, first, last = span
    return first - begin, last - begin
