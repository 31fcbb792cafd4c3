"""Parts of a batch, which several processes make by themselves."""

import copy


class InParts:
    """The method of data sets whose batches can be made in parts.

    Their `__getitem__` returns the examples at the places `self.places(batch_size)`.
    """

    _part = (0, 1)

    def part(self, index, count):
        """The same batches, of which only one of `count` equal parts is made.

        An example of batch `i` depends on its place in the whole batch, not on the
        number of parts: together the parts are the batch.

        Args:
            index: which part, from 0.
            count: how many parts there are; the batch size is a multiple of it.
        """
        part = copy.copy(self)
        part._part = (index, count)
        return part

    def places(self, size):
        """The slice of a whole batch of `size` examples that is to be made."""
        return slice_of(size, *self._part)


def slice_of(size, index, count):
    """The slice of a batch's examples that is one of its parts.

    Args:
        size: examples of the whole batch, a multiple of `count`.
        index: which part, from 0.
        count: how many parts of equal size there are.
    """
    return slice(index * size // count, (index + 1) * size // count)
