import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.errors import YotoError
from yoto_tf.tradeoff import hypervolume, non_dominated

small_integers = st.integers(0, 5)


def point_sets(objectives):
    point = st.tuples(*[small_integers] * objectives)
    return st.lists(point, min_size=1, max_size=7)


def counted(points, reference):
    """The hypervolume of integer points: unit cubes one by one."""
    return sum(
        any(all(p <= c for p, c in zip(point, cube, strict=True)) for point in points)
        for cube in itertools.product(*map(range, reference))
    )


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_counts_cubes(objectives):
    @given(point_sets(objectives), st.permutations(range(objectives)))
    def check(points, order):
        reference = [5, 4, 3, 5][:objectives]
        found = hypervolume(points, reference)
        assert found == pytest.approx(counted(points, reference))
        swapped = np.array(points)[:, order]
        assert hypervolume(swapped, np.array(reference)[order]) == pytest.approx(found)

    check()


def test_hypervolume_by_hand():
    # Three steps under the reference: 3·1 + 2·1 + 1·1.
    assert hypervolume([[1, 3], [2, 2], [3, 1]], [4, 4]) == pytest.approx(6.0)
    # Two cubes of 2 × 2 × 1 and 1 × 1 × 2 that share one of 1 × 1 × 1.
    found = hypervolume([[0, 0, 1], [1, 1, 0]], [2, 2, 2])
    assert found == pytest.approx(4 + 2 - 1)


def test_hypervolume_of_a_quarter_disc():
    # Between the arc x² + y² = 1 and (1, 1), with more and more points on the arc.
    angles = np.linspace(np.pi, 1.5 * np.pi, 2001)
    arc = 1 + np.stack([np.cos(angles), np.sin(angles)], -1)
    assert hypervolume(arc, [1, 1]) == pytest.approx(np.pi / 4, abs=1e-3)


@given(point_sets(3))
def test_only_the_front_has_volume(points):
    points = np.array(points)
    front = points[non_dominated(points)]
    reference = [6, 6, 6]
    assert hypervolume(front, reference) == pytest.approx(
        hypervolume(points, reference)
    )


@given(point_sets(2) | point_sets(3))
def test_non_dominated_by_definition(points):
    def beats(a, b):
        return a != b and all(x <= y for x, y in zip(a, b, strict=True))

    expected = [not any(beats(other, point) for other in points) for point in points]
    assert non_dominated(points).tolist() == expected


def test_points_beyond_the_reference_add_nothing():
    assert hypervolume([[1, 9], [9, 1], [2, 2]], [3, 3]) == pytest.approx(1.0)
    assert hypervolume([[3, 3], [4, 0]], [3, 3]) == 0.0


@pytest.mark.parametrize(
    ("points", "reference", "reason"),
    [
        ([1.0, 2.0], [3.0], "array"),
        ([[1.0, 2.0]], [3.0], "2 objectives"),
        ([[1.0, 2.0]], [3.0, np.inf], "finite reference"),
        ([[1.0, np.nan]], [3.0, 3.0], "finite points"),
    ],
)
def test_refused(points, reference, reason):
    with pytest.raises(YotoError, match=reason) as error:
        hypervolume(points, reference)
    assert "\n" not in str(error.value)
