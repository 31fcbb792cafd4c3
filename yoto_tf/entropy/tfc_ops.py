"""TensorFlow Compression's compiled ops, where this machine can load them."""

import functools


@functools.cache
def load_tfc_ops():
    """Imports `tensorflow_compression_ops`, at the first call only.

    Its library is compiled against one minor version of TensorFlow and one kind of
    machine, and loading it elsewhere fails in several ways.

    Returns:
        The module, or None where it is not installed or cannot be loaded.
    """
    try:
        import tensorflow_compression_ops
    except Exception:  # TensorFlow's own error type cannot be named without TensorFlow.
        return None
    return tensorflow_compression_ops
