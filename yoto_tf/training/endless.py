"""Batches that never end, in the forms that Keras `fit` takes."""

import itertools
import math

from yoto_tf.errors import RecipeError


class EndlessBatches:
    """Repeats a `tf.data.Dataset`, or any other iterable of batches as a generator.

    Args:
        data: batches, each what `fit` takes: a dict of inputs, or a tuple.

    Attributes:
        error: the exception with which the iterable ended, to be raised once `fit` has
            returned: tf.data would bury it. None if it has raised none.
        taken: how many batches `fit` has asked for; infinite where nobody can count.
    """

    def __init__(self, data):
        self.error = None
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
