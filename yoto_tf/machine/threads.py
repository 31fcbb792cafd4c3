"""How many threads this process works with."""

import os

# Of TensorFlow, of XLA on processors, which JAX runs on, and of the BLAS libraries that
# NumPy is built with. They are read when these are imported or first compute.
_VARIABLES = (
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "PJRT_NPROC",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
)
_limit = None


def limit_threads(count):
    """Bounds the threads that TensorFlow, JAX, NumPy and this package compute with.

    To be called before TensorFlow or JAX is imported.

    Args:
        count: 1 or more.
    """
    global _limit
    _limit = count
    os.environ.update(thread_variables(count))


def thread_variables(count):
    """{name: value} of the environment variables that `limit_threads` sets."""
    return dict.fromkeys(_VARIABLES, str(count))


def num_threads(wanted):
    """The threads to use where one would take `wanted`."""
    return wanted if _limit is None else min(wanted, _limit)
