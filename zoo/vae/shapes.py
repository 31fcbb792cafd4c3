"""Rendered pictures of which every factor is known: shape, size, place and colour.

A β-VAE may give each of them a latent of its own; see `disentanglement`. The idea is
that of dSprites (Matthey et al., 2017); these pictures have colours and smooth edges,
and nothing is downloaded.
"""

import colorsys
import itertools

import numpy as np

from yoto_tf.errors import DataError, printable

PREFIX = "shapes:"
SPLITS = ("train", "test")
# In the order of the columns of what `factors` returns.
FACTORS = {"shape": 3, "size": 4, "x": 12, "y": 12, "colour": 8}
SIDE = 32

_BACKGROUND = 0.1
# From red over green to blue: what is not a circle fits on a line.
_HUES = np.linspace(0, 2 / 3, FACTORS["colour"])
_RADII = np.linspace(3.5, 7, FACTORS["size"], dtype="float32")
# The largest triangle is 19 wide.
_PLACES = np.linspace(10, SIDE - 10, FACTORS["x"], dtype="float32")
_TEST_EVERY = 10


def is_shapes(spec):
    """Whether `spec` names these pictures rather than files."""
    return str(spec).startswith(PREFIX)


def factors(spec):
    """The factors of the pictures of a split.

    Args:
        spec: `shapes:train` or `shapes:test`; the latter is a tenth of all
            combinations, drawn once and for all.

    Returns:
        int [N, 5], for each picture the number of its value of each of `FACTORS`.

    Raises:
        DataError: no such split.
    """
    split = str(spec).removeprefix(PREFIX)
    if split not in SPLITS:
        raise DataError(
            f"expected {' or '.join(PREFIX + name for name in SPLITS)}, "
            f"got {printable(spec)}"
        )
    combinations = np.array(list(itertools.product(*map(range, FACTORS.values()))))
    # What NumPy's legacy generator gives for a seed stays the same for ever.
    order = np.random.RandomState(0).permutation(len(combinations))
    last = len(combinations) // _TEST_EVERY
    return combinations[order[:last] if split == "test" else order[last:]]


def rendered(factors):
    """Draws pictures.

    Args:
        factors: int [N, 5], see `factors`.

    Returns:
        uint8 [N, 32, 32, 3].
    """
    parts = np.array_split(np.asarray(factors), len(factors) // 1000 + 1)
    return np.concatenate([_rendered(part) for part in parts])


def _rendered(factors):
    shape, size, x, y, colour = factors.T[:, :, None, None]
    down, across = np.mgrid[:SIDE, :SIDE].astype("float32") + 0.5
    dx, dy, radius = across - _PLACES[x], down - _PLACES[y], _RADII[size]
    # Signed distances to the edges of figures of about one area.
    disc = np.hypot(dx, dy) - radius
    square = np.maximum(abs(dx), abs(dy)) - 0.886 * radius
    # As far up as down from its middle.
    below = dy - 0.389 * radius
    slope = abs(dx) * np.float32(np.sqrt(3) / 2) - below / 2
    triangle = np.maximum(slope, below) - 0.778 * radius
    distance = np.choose(shape, [disc, square, triangle])
    covered = np.clip(0.5 - distance, 0, 1)[..., None]
    colours = [colorsys.hsv_to_rgb(hue, 0.9, 1.0) for hue in _HUES]
    colours = np.array(colours, "float32")
    pictures = _BACKGROUND + covered * (colours[colour] - _BACKGROUND)
    return np.rint(255 * pictures).astype("uint8")
