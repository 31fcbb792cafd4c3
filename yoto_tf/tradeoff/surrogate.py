"""Constrained search with few evaluations, by radial basis functions."""

import itertools

import numpy as np

_CANDIDATES = 512
# Steps away from the best point so far, as parts of the cube's side.
_STEPS = (0.2, 0.05, 0.01)
_NEAREST = 1e-4


def minimise_by_surrogate(function, dimensions, evaluations):
    """Minimises a function over the unit cube under constraints.

    The first half of the evaluations covers the cube: its corners, as far as there are
    few, its middle and a Sobol sequence. Then cubic radial basis functions interpolate
    the value and every slack, and the function is evaluated where they promise the
    least value within the constraints, or, if nowhere, the least violation.

    Args:
        function: of a position [D] to a value and a list of slacks, which are ≥ 0 where
            the constraints hold.
        dimensions: D.
        evaluations: calls of the function.

    Raises:
        ValueError: fewer evaluations than 2.

    Reference: Regis, "Stochastic radial basis function algorithms for large-scale
    optimization involving expensive black-box objective and constraint functions",
    Computers & Operations Research, 2011.
    """
    if evaluations < 2:
        raise ValueError(f"needs 2 evaluations, got evaluations={evaluations}")
    random = np.random.default_rng(0)
    positions = _cover(
        dimensions, max(evaluations // 2, min(dimensions + 2, evaluations))
    )
    found = [function(position) for position in positions]
    while len(found) < evaluations:
        values = np.array([[value, *slacks] for value, slacks in found])
        position = _promising(positions, values, random)
        positions = np.vstack([positions, position])
        found.append(function(position))


def _cover(dimensions, count):
    """`count` different positions [count, D] all over the cube."""
    from scipy.stats import qmc

    corners = 2**dimensions <= count // 2
    first = list(itertools.product((0.0, 1.0), repeat=dimensions)) if corners else []
    first.append((0.5,) * dimensions)
    # A power of two keeps the sequence balanced; without an offset it has a corner.
    power = max(count - 1, 1).bit_length()
    others = qmc.Sobol(dimensions, scramble=False).random_base2(power) + 0.5 / 2**power
    return np.vstack([first, others])[:count]


def _promising(positions, values, random):
    """The candidate [D] where the interpolated value is least."""
    from scipy.interpolate import RBFInterpolator

    feasible = (values[:, 1:] >= 0).all(axis=1)
    violation = _violation(values, values)
    order = np.where(feasible, values[:, 0], np.inf)
    best = positions[np.argmin(order if feasible.any() else violation)]
    near = [
        best + step * random.standard_normal((_CANDIDATES, len(best)))
        for step in _STEPS
    ]
    candidates = np.vstack([random.random((_CANDIDATES, len(best))), *near])
    candidates = np.clip(candidates, 0, 1)
    distance = np.abs(candidates[:, None] - positions[None]).max(axis=-1).min(axis=1)
    candidates = candidates[distance > _NEAREST]
    guessed = RBFInterpolator(positions, values, kernel="cubic")(candidates)
    inside = (guessed[:, 1:] >= 0).all(axis=1)
    if inside.any():
        return candidates[np.argmin(np.where(inside, guessed[:, 0], np.inf))]
    return candidates[np.argmin(_violation(guessed, values))]


def _violation(rows, values):
    """By how much each row breaks the constraints, in units of their spread [N]."""
    spread = np.maximum(np.ptp(values[:, 1:], axis=0), 1e-12)
    return (np.maximum(-rows[:, 1:], 0) / spread).sum(axis=1)
