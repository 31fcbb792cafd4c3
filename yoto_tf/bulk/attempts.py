"""Which pictures a worker has died with, so that none is tried for ever.

An engine tries a block again when the worker died that had it, without end: machines
come and go. A picture that itself ends each process, such as one that takes more memory
than there is, has to be found and left out.
"""

import collections

# So many deaths with one picture are its own fault.
_DEATHS = 2


class Attempts:
    """Counts attempts; one object serves all workers."""

    def __init__(self):
        self._entered, self._begun = collections.Counter(), collections.Counter()

    def enter(self, block):
        """Counts an attempt at a block.

        Returns:
            Which attempt it is, from 1.
        """
        self._entered[block] += 1
        return self._entered[block]

    def leave(self, block):
        """Forgets a block that has been converted."""
        self._entered.pop(block, None)

    def begin(self, key):
        """Counts an attempt at a picture; false if it is to be left out."""
        if self._begun[key] >= _DEATHS:
            return False
        self._begun[key] += 1
        return True

    def end(self, key):
        """Forgets a picture that did no harm."""
        self._begun.pop(key, None)
