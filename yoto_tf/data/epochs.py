"""Orders in which examples come: one for each epoch, which nobody has to keep."""

import numpy as np

# Several threads may ask for batches of two epochs in turn.
_KEPT = 2


class EpochOrders:
    """Permutations of `size` examples, one an epoch.

    An order depends on the seed and the number of the epoch alone, so that every
    process of a training, and a resumed one, finds the same.

    Args:
        size: how many examples there are, at least 1.
        seed: integer >= 0.
        stream: further integers >= 0, which tell these orders from other random numbers
            of the same seed.
    """

    def __init__(self, size, seed, *stream):
        self.size = size
        self._seed, self._stream = seed, stream
        self._orders = {}

    def __call__(self, epoch):
        """The order of an epoch, integers [size]."""
        # Replaced as a whole: several threads ask.
        orders = self._orders
        if epoch not in orders:
            random = np.random.default_rng((self._seed, epoch, *self._stream))
            order = random.permutation(self.size)
            kept = dict(list(orders.items())[1 - _KEPT :])
            self._orders = orders = {**kept, epoch: order}
        return orders[epoch]

    def dealt(self, first, count):
        """Examples where all epochs follow one another without a gap.

        Args:
            first: how many come before.
            count: how many.

        Returns:
            Integers [count].
        """
        epochs, places = np.divmod(np.arange(first, first + count), self.size)
        return np.array(
            [
                self(int(epoch))[place]
                for epoch, place in zip(epochs, places, strict=True)
            ],
            int,
        )
