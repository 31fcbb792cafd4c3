"""What the processes of a training decide together, since their clocks differ."""

import time

import numpy as np

# Between two agreements: they wait for the devices, and an interrupt waits for them.
_SECONDS = 0.5


class Agreement:
    """Lets all processes of a training take what one of them has to say.

    Agreements take place at steps that all processes know: the first process says, at
    each, when the next one is due. With one process every step is due, and nothing is
    waited for.

    Args:
        processes: how many processes there are.
        most_steps: steps from one agreement to the next at most.

    Attributes:
        processes: as above.
    """

    def __init__(self, processes=1, most_steps=200):
        self.processes = processes
        self._most_steps = most_steps
        self._due = 0
        self._last = None

    def is_due(self, step):
        """Whether all processes agree after this step."""
        return self.processes == 1 or step >= self._due

    def reach(self, step, seconds, *wishes):
        """The seconds of the first process, and whether any process has each wish.

        To be called by all processes after the same step.

        Args:
            step: steps taken.
            seconds: seconds trained, by the clock of this process.
            wishes: booleans.

        Returns:
            `(seconds, wish, ...)`.
        """
        if self.processes == 1:
            return seconds, *wishes
        from jax.experimental import multihost_utils

        mine = np.array([seconds, self._steps_ahead(step), *wishes], "float32")
        found = multihost_utils.process_allgather(mine)
        self._due = step + int(found[0, 1])
        return float(found[0, 0]), *(found[:, 2:] > 0).any(axis=0).tolist()

    def _steps_ahead(self, step):
        now, ahead = time.monotonic(), 1
        if self._last is not None and step > self._last[0]:
            pace = (now - self._last[1]) / (step - self._last[0])
            ahead = min(max(int(_SECONDS / max(pace, 1e-9)), 1), self._most_steps)
        self._last = (step, now)
        return ahead


def is_first_process():
    """Whether this is the first of the processes of JAX, or the only one."""
    import keras

    if keras.backend.backend() != "jax":
        return True
    import jax

    return jax.process_index() == 0


def from_first(arrays):
    """The arrays of the first process, in all of them; with one process, the same.

    Args:
        arrays: a dict of NumPy arrays, of equal shapes in all processes.
    """
    import keras

    if keras.backend.backend() != "jax":
        return arrays
    import jax

    if jax.process_count() == 1:
        return arrays
    from jax.experimental import multihost_utils

    # As bytes: JAX would make 64-bit numbers 32-bit ones.
    sent = {
        name: np.ascontiguousarray(array).reshape(-1).view("uint8")
        for name, array in arrays.items()
    }
    got = multihost_utils.broadcast_one_to_all(sent)
    return {
        name: np.asarray(got[name])
        .astype("uint8")
        .view(array.dtype)
        .reshape(array.shape)
        for name, array in arrays.items()
    }
