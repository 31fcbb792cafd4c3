"""Which process runs the networks.

TensorFlow and JAX run threads, and a fork copies none of them: a forked child that
calls a network waits for ever for threads that are not there.
"""

import os

from yoto_tf.errors import YotoError

_runs_in = None


class ForkedProcessError(YotoError, RuntimeError):
    """A forked process uses a network that its parent has run."""


def check_process():
    """To be called before a backend computes anything.

    Raises:
        ForkedProcessError: in a process that was forked after the first call.
    """
    global _runs_in
    if _runs_in is None:
        _runs_in = os.getpid()
    elif _runs_in != os.getpid():
        raise ForkedProcessError(
            "this process was forked from one that runs networks, whose threads it "
            "lacks: start it with multiprocessing.get_context('spawn'), or load models "
            "only after the fork"
        )
