import numpy as np
import pytest

from yoto_tf.zoo.codec.coding.quadtree import (
    CLASSES,
    GROUPS,
    PASSES,
    group_at,
    groups_around,
    pass_of,
)

NUMBERS = range(4)


def group_map(number):
    """The groups that a pass codes at 4×4 positions."""
    groups = np.empty((4, 4), int)
    for position_class, (row, column) in enumerate(CLASSES):
        groups[row::2, column::2] = group_at(position_class, number)
    return groups


def test_every_position_codes_every_group_once():
    assert (GROUPS, PASSES) == (4, 4)
    passes = np.stack([group_map(number) for number in NUMBERS])
    np.testing.assert_array_equal(np.sort(passes, axis=0)[:, 0, 0], NUMBERS)
    np.testing.assert_array_equal(
        np.sort(passes, axis=0), np.broadcast_to(np.arange(4)[:, None, None], (4, 4, 4))
    )


@pytest.mark.parametrize("number", NUMBERS)
def test_every_group_is_coded_at_one_class(number):
    assert sorted(group_at(c, number) for c in NUMBERS) == list(NUMBERS)
    for position_class in NUMBERS:
        group = group_at(position_class, number)
        assert pass_of(position_class, group) == number


@pytest.mark.parametrize("number", NUMBERS)
def test_groups_around_a_position(number):
    groups = group_map(number)
    for row in (1, 2):
        for column in (1, 2):
            around = groups[row - 1 : row + 2, column - 1 : column + 2]
            expected = groups_around(groups[row, column])
            np.testing.assert_array_equal(around, expected)


def test_neighbours_of_a_group_become_known_from_the_diagonal_on():
    first = np.argwhere(group_map(0) == 0)
    second, third = ((group_map(number) == 0).nonzero() for number in (1, 2))
    assert set(first[:, 0]) == {0, 2}
    assert set(first[:, 1]) == {0, 2}
    assert set(second[0]) == set(second[1]) == {1, 3}
    assert set(third[0]) == {0, 2}
    assert set(third[1]) == {1, 3}
