"""The order in which a context model sees latents: four passes over 2×2 positions.

Channels are divided into four groups, positions into the four classes of a 2×2 pattern,
numbered row by row. In a pass each position codes one group, every group at one class:

    pass      0        1        2        3
            0  1     3  2     1  0     2  3      groups at the four classes
            2  3     1  0     3  2     0  1

So a pass has a quarter of all symbols. The second sees its group's diagonal neighbours,
the last two those left, right, above and below as well, and all see other groups at
their place and around it. Groups and classes are related by an exclusive or: what is
known around a symbol depends on its pass only.

Reference: Li, Li & Lu, "Neural Video Compression with Diverse Contexts" (DCVC-DC), CVPR
2023.
"""

GROUPS = 4
PASSES = 4
# Row and column of each class.
CLASSES = ((0, 0), (0, 1), (1, 0), (1, 1))
# Group ⊕ class of each pass.
_SHIFTS = (0, 3, 1, 2)


def group_at(position_class, number):
    """The group that positions of a class code in a pass, each from 0 to 3."""
    return position_class ^ _SHIFTS[number]


def pass_of(position_class, group):
    """The pass in which positions of a class code a group, each from 0 to 3."""
    return _SHIFTS.index(position_class ^ group)


def groups_around(group):
    """The groups of one pass in the 3×3 positions around one that codes `group`.

    Returns:
        Three rows of three, from 0 to 3; the middle is `group`.
    """
    # One step down changes the row's bit of the class, one to the right the column's.
    row, middle = (group ^ 3, group ^ 2, group ^ 3), (group ^ 1, group, group ^ 1)
    return row, middle, row
