"""The order in which the samples of a plane are coded: from coarse to fine.

A lattice of spacing 2s is refined to spacing s by three passes. Whatever a pass codes
is predicted from what is known by then, never from the same pass, so that each is one
operation on arrays:

    A E A E      A  known from the lattice of spacing 2s
    F D F D      D  between four diagonal neighbours
    A E A E      E  between two of A and two of D
    F D F D      F  the same, and four of E at the corners

The samples of each kind are an array of their own, the phase of the lattice.
"""

import dataclasses

import numpy as np

# Of each phase: row and column in the lattice of spacing s, modulo 2.
PHASES = {"A": (0, 0), "D": (1, 1), "E": (0, 1), "F": (1, 0)}
PASSES = ("D", "E", "F")
# How far a neighbour may lie outside of its phase, in samples of it.
_REACH = 2


@dataclasses.dataclass(frozen=True)
class Neighbourhood:
    """Where the known neighbours of a pass lie, in units of the spacing s.

    Attributes:
        nearest: four (row, column), the nearest ones.
        others: twelve further ones.
        past: (row, column) in a channel that is known already, where the samples of the
            pass itself and of later ones are known too: the first is its own place.
    """

    nearest: tuple[tuple[int, int], ...]
    others: tuple[tuple[int, int], ...]
    past: tuple[tuple[int, int], ...]


def _signs(row, column):
    return tuple((a, b) for a in sorted({row, -row}) for b in sorted({column, -column}))


_AROUND = ((0, 0), *_signs(0, 1), *_signs(1, 0), *_signs(1, 1))
_STRAIGHT = (*_signs(0, 1), *_signs(1, 0))
NEIGHBOURHOODS = {
    "D": Neighbourhood(
        _signs(1, 1), (*_signs(3, 1), *_signs(1, 3), *_signs(3, 3)), _AROUND
    ),
    "E": Neighbourhood(
        _STRAIGHT,
        (*_signs(2, 1), *_signs(1, 2), *_signs(0, 3), *_signs(3, 0)),
        _AROUND,
    ),
    "F": Neighbourhood(
        _STRAIGHT, (*_signs(1, 1), *_signs(2, 1), *_signs(1, 2)), _AROUND
    ),
}


def scales(height, width):
    """Spacings of the lattices that a plane passes through, coarsest first.

    The lattice of twice the first has one sample.
    """
    return [1 << k for k in reversed(range((max(height, width) - 1).bit_length()))]


class Lattice:
    """A plane's samples at one spacing, in phases.

    Args:
        height, width: of the lattice.
    """

    def __init__(self, height, width):
        self.height, self.width = height, width
        self._phases = {}

    @classmethod
    def of(cls, plane):
        """The lattice of all of a plane's samples, int32 [H, W]."""
        lattice = cls(*plane.shape)
        for name, (row, column) in PHASES.items():
            lattice[name] = plane[row::2, column::2]
        return lattice

    def shape(self, name):
        """Height and width of a phase."""
        row, column = PHASES[name]
        return (self.height + 1 - row) // 2, (self.width + 1 - column) // 2

    def __setitem__(self, name, samples):
        """Sets a phase, [h, w] of its `shape`."""
        # A lattice of one row has no odd rows: the even samples stand in for them.
        if samples.size == 0:
            samples = self["A"]
        # All phases get the size of the largest, and what neighbours reach around it.
        height, width = self.shape("A")
        below, right = height - samples.shape[0], width - samples.shape[1]
        self._phases[name] = np.pad(
            samples.astype("int32"),
            ((_REACH, below + _REACH), (_REACH, right + _REACH)),
            mode="edge",
        )

    def __getitem__(self, name):
        height, width = self.shape(name)
        return self._phases[name][_REACH : _REACH + height, _REACH : _REACH + width]

    def neighbour(self, name, offset, rows):
        """The samples at an offset from each of a phase's.

        Args:
            name: of the phase.
            offset: (row, column), at most 3 each way.
            rows: (first, last) rows of the phase.

        Returns:
            int32 [last - first, w], a view.
        """
        row, column = (p + o for p, o in zip(PHASES[name], offset, strict=True))
        phase = self._phases[_NAMES[row & 1, column & 1]]
        top, left = _REACH + (row >> 1), _REACH + (column >> 1)
        width = self.shape(name)[1]
        return phase[top + rows[0] : top + rows[1], left : left + width]

    def plane(self):
        """The samples of all phases, int32 [height, width]."""
        plane = np.empty((self.height, self.width), "int32")
        for name, (row, column) in PHASES.items():
            if plane[row::2, column::2].size:
                plane[row::2, column::2] = self[name]
        return plane


_NAMES = {place: name for name, place in PHASES.items()}
