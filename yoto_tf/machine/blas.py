"""NumPy's products by one thread each, whatever else uses the cores."""

import contextlib
import functools
import threading

from threadpoolctl import ThreadpoolController

_LIMITED = threading.Lock()


@functools.cache
def _libraries():
    return ThreadpoolController().select(user_api="blas")


@contextlib.contextmanager
def single_threaded_blas():
    """Lets every product of NumPy's run in the thread that asks for it.

    Its own threads go on spinning for some 20 ms after a product, which slows down
    whatever needs their cores next, and small products wait for them longest where
    others need the cores already. One block at a time, in all threads of the process.

    Yields:
        The number of threads that a product would have had.
    """
    with _LIMITED:
        libraries = _libraries()
        count = max((library["num_threads"] for library in libraries.info()), default=1)
        with libraries.limit(limits=1):
            yield count
