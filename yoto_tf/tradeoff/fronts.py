"""Pareto fronts: which points are on one, and how much it covers."""

import numpy as np

from yoto_tf.errors import YotoError


def non_dominated(points):
    """Which points are Pareto-optimal.

    No other point is better than such a point in one objective and no worse in the
    rest.

    Args:
        points: array-like [N, M]; every objective is to be minimised.

    Returns:
        Boolean array [N]. Equal points do not beat each other.

    Raises:
        YotoError: not such an array, or values that are not finite.
    """
    points = _checked(points)
    no_worse = (points[:, None] <= points[None]).all(axis=-1)
    better = (points[:, None] < points[None]).any(axis=-1)
    return ~(no_worse & better).any(axis=0)


def hypervolume(points, reference):
    """The volume between a front and a reference point, all objectives minimised.

        volume of {z : p ≤ z ≤ reference for some point p}

    It is exact, by slicing along the last objective (Fonseca, Paquete & López-Ibáñez,
    2006, without their shortcuts): of the order of N to the power M − 1.

    Args:
        points: array-like [N, M]. Those beyond the reference add nothing.
        reference: array-like [M], the worst values that count. There is no default:
            volumes compare only under one reference, and it weighs the objectives.

    Returns:
        A float ≥ 0, in the product of the objectives' units.

    Raises:
        YotoError: not such arrays, or values that are not finite.

    Reference: Zitzler & Thiele, "Multiobjective evolutionary algorithms: a comparative
    case study and the strength Pareto approach", 1999.
    """
    points = _checked(points)
    reference = np.asarray(reference, dtype=np.float64)
    if reference.shape != points.shape[1:] or not np.isfinite(reference).all():
        raise YotoError(
            f"expected a finite reference point of {points.shape[1]} objectives, "
            f"got {reference.tolist()}"
        )
    return _volume(points[(points < reference).all(axis=1)], reference)


def _volume(points, reference):
    if len(points) == 0:
        return 0.0
    if points.shape[1] == 1:
        return float(reference[0] - points.min())
    points = points[np.argsort(points[:, -1])]
    # From one point's last objective to the next one's, the cross-section is constant.
    depths = np.diff(np.append(points[:, -1], reference[-1]))
    return float(
        sum(
            depth * _volume(points[: i + 1, :-1], reference[:-1])
            for i, depth in enumerate(depths)
            if depth > 0
        )
    )


def _checked(points):
    points = np.asarray(points, dtype=np.float64)
    if points.ndim != 2 or not points.shape[1]:
        raise YotoError(
            f"expected points as an array [N, objectives], got {points.shape}"
        )
    if not np.isfinite(points).all():
        raise YotoError(
            f"expected finite points, got {points[~np.isfinite(points)][0]}"
        )
    return points
