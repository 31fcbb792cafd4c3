"""Batches that never end, in the forms that Keras `fit` takes."""

import itertools
import math

import keras

from yoto_tf.data.parts import slice_of
from yoto_tf.errors import RecipeError


class EndlessBatches:
    """Repeats a `tf.data.Dataset`, or any other iterable of batches as a generator.

    Args:
        data: batches, each what `fit` takes: a dict of inputs, or a tuple.
        part: (index, count): which of `count` equal parts of each batch to take, by
            the place of the examples in it. Data with a method `part(index, count)`
            makes no more than that; of other data whole batches are cut.

    Attributes:
        error: the exception with which the iterable ended, to be raised once `fit` has
            returned: tf.data would bury it. None if it has raised none.
        taken: how many batches `fit` has asked for; infinite where nobody can count.
    """

    def __init__(self, data, part=(0, 1)):
        self.error = None
        if part[1] > 1:
            data = part_of(data, *part)
        self._is_tf_data = hasattr(data, "element_spec")
        self.taken = math.inf if self._is_tf_data else 0
        self._batches = data.repeat() if self._is_tf_data else self._cycle(data)

    def first(self):
        """The inputs of the first batch, which `for_fit` still yields.

        Raises:
            RecipeError: If there is no batch.
        """
        if self._is_tf_data:
            batch = next(iter(self._batches.take(1)), None)
        else:
            batch = next(self._batches, None)
            self._batches = itertools.chain([batch], self._batches)
        if self.error is not None:
            raise self.error
        if batch is None:
            raise RecipeError("the data has no batch, expected at least one")
        return batch[0] if isinstance(batch, tuple) else batch

    def for_fit(self):
        """The `x` of `fit`."""
        return self._batches if self._is_tf_data else self._until_closed()

    def close(self):
        """Releases the data, since TensorFlow keeps every generator it has read."""
        self._batches = None

    def _until_closed(self):
        yield from iter(self._next, None)

    def _next(self):
        # A thread of tf.data may still be reading when the batches are closed.
        batches = self._batches
        batch = None if batches is None else next(batches, None)
        self.taken += batch is not None
        return batch

    def _cycle(self, data):
        try:
            while True:
                empty = True
                for batch in data:
                    empty = False
                    yield batch if isinstance(batch, tuple) else (batch,)
                if empty:
                    return
        except Exception as error:
            self.error = error


def part_of(data, index, count):
    """One of `count` equal parts of every batch, the same number of batches.

    Args:
        data: a `tf.data.Dataset`, what has a method `part(index, count)`, or any other
            iterable of batches.
        index: which part, from 0.
        count: how many parts there are.
    """
    if hasattr(data, "part"):
        return data.part(index, count)
    if hasattr(data, "element_spec"):
        import tensorflow as tf

        return data.map(
            lambda *batch: keras.tree.map_structure(
                lambda tensor: tensor[slice_of(tf.shape(tensor)[0], index, count)],
                batch if len(batch) > 1 else batch[0],
            )
        )
    return _Cut(data, index, count)


class _Cut:
    """An iterable of parts of batches."""

    def __init__(self, data, index, count):
        self._data, self._part = data, (index, count)

    def __iter__(self):
        for batch in self._data:
            yield keras.tree.map_structure(
                lambda array: array[slice_of(len(array), *self._part)], batch
            )
