"""Many small pictures as few requests: those of one size go together."""

import numpy as np

from yoto_tf.errors import DataError

# A request holds so many pictures, or pixels, at most: as many as an exported server
# joins, and some 50 MB.
MOST_PICTURES = 16
MOST_PIXELS = 2**22


def by_size(sizes):
    """Yields lists of places in `sizes`, (height, width) each, for one request each."""
    groups = {}
    for place, size in enumerate(sizes):
        groups.setdefault(tuple(size), []).append(place)
    for (height, width), places in groups.items():
        most = max(1, min(MOST_PICTURES, MOST_PIXELS // (height * width)))
        for start in range(0, len(places), most):
            yield places[start : start + most]


def for_each(count, settings):
    """Settings of many pictures as a list of those of each.

    Args:
        count: how many pictures.
        settings: {name: value}; a list, a tuple or an array has one for each picture.

    Raises:
        DataError: as many values as there are pictures were expected.
    """
    rows = [{} for _ in range(count)]
    for name, value in settings.items():
        values = [value] * count
        if isinstance(value, list | tuple | np.ndarray):
            values = list(value)
        if len(values) != count:
            raise DataError(
                f"expected one {name}, or one for each of {count} pictures, got "
                f"{len(values)}"
            )
        for row, one in zip(rows, values, strict=True):
            row[name] = one
    return rows
