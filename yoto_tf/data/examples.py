"""Batches of examples held in memory."""

import keras
import numpy as np

from yoto_tf.data.epochs import EpochOrders
from yoto_tf.data.parts import InParts
from yoto_tf.errors import DataError


class Examples(InParts, keras.utils.PyDataset):
    """Batches of arrays in memory, as `x` of `model.fit` or `evaluate` on any backend.

    Shuffled it is endless, for training: every pass has an order of its own and leaves
    out the examples that fill no batch, so that all batches have one shape. Unshuffled
    it is one pass in order, for evaluation, whose last batch may be smaller. Either
    way `model.fit` is to be given `shuffle=False`.

    Args:
        arrays: dict of arrays with one first dimension N, as from `load_arrays`.
        batch_size: examples in a batch.
        seed: integer >= 0; batch `i` depends on `seed` and `i` alone.
        shuffle: see above.
        first_batch: number of the first batch, for carrying on where a run stopped.

    Batches:
        A dict with the keys of `arrays`; a uint8 `image` becomes float32 in [0, 1].

    Raises:
        DataError: the arrays differ in length, are empty, or are shuffled and fewer
            than a batch.
    """

    def __init__(self, arrays, batch_size, seed=0, shuffle=True, first_batch=0):
        super().__init__()
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise DataError(f"expected arrays of one length, got {lengths}")
        self.arrays = arrays
        self.size = next(iter(lengths.values()))
        if self.size < (batch_size if shuffle else 1):
            raise DataError(
                f"expected at least {batch_size if shuffle else 1} examples, "
                f"got {self.size}"
            )
        self.batch_size = batch_size
        self.seed = seed
        self.shuffle = shuffle
        self.first_batch = first_batch
        self._orders = EpochOrders(self.size, seed)

    @property
    def num_batches(self):
        """Batches in the one pass, or None for the endless shuffled ones."""
        if self.shuffle:
            return None
        return -(-self.size // self.batch_size) - self.first_batch

    def __getitem__(self, index):
        """Batch `first_batch + index`."""
        index += self.first_batch
        if self.shuffle:
            epoch, index = divmod(index, self.size // self.batch_size)
            order = self._orders(epoch)
        else:
            order = np.arange(self.size)
        rows = order[index * self.batch_size : (index + 1) * self.batch_size]
        rows = rows[self.places(len(rows))]
        return {name: _batch(name, array[rows]) for name, array in self.arrays.items()}

    def __iter__(self):
        index = 0
        while self.num_batches is None or index < self.num_batches:
            yield self[index]
            index += 1


def _batch(name, rows):
    if name == "image" and rows.dtype == np.uint8:
        return rows * np.float32(1 / 255)
    return rows
