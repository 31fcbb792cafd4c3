"""Levels of the coefficient: what integer tables are indexed by."""

import dataclasses

import numpy as np

# Between two of 64 levels on two decades of λ the scales differ by 4 %, less than
# between two entries of the scale table.
COUNT = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Levels:
    """A partition of the coefficient's range, each part with a representative.

    Attributes:
        vectors: float32 [L, 1], the raw coefficient in the middle of each level. L is
            64, or 1 for a network with a fixed coefficient.
        edges: float32 [L − 1], where one level ends and the next begins.
    """

    vectors: np.ndarray
    edges: np.ndarray

    @classmethod
    def of(cls, coefficients):
        """The levels of a codec's `Coefficients`, evenly spaced in probability."""
        steps = np.linspace(0, 1, 2 * COUNT + 1)
        points = np.array([coefficients.at(step) for step in steps])
        if points[0] == points[-1]:
            return cls(points[:1], points[:0, 0])
        return cls(points[1::2], points[2:-1:2, 0])

    def to_arrays(self):
        """The attributes as a dict, from which `Levels(**arrays)` makes them again."""
        return {"vectors": self.vectors, "edges": self.edges}

    def index(self, vector):
        """The level of a raw coefficient vector [1]. Only float32 is compared."""
        return int(np.searchsorted(self.edges, np.float32(vector[0])))
