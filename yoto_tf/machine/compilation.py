"""Compiled inference on either backend."""

import collections
import contextlib
import contextvars
import functools
import threading

import keras

from yoto_tf.machine.keras_settings import usual_settings
from yoto_tf.machine.processes import check_process

SHAPES = 4
_RUN_ONCE = contextvars.ContextVar("_RUN_ONCE", default=False)
_PIXELS_ONCE = 2**21
_LOCAL_INFERENCE = contextvars.ContextVar("_LOCAL_INFERENCE", default=False)


def is_local_inference():
    """Whether a network is run or traced for inference in this process.

    It is not where a network is trained or exported. A layer may then use operations
    that are fast here, though other runtimes lack them, misread them or are slow at
    them, and though their gradients are slow.
    """
    return _LOCAL_INFERENCE.get()


@contextlib.contextmanager
def local_inference():
    """A context in which `is_local_inference` is true.

    It holds Keras' usual settings, whatever the user's are. Functions that are
    `compiled` run in it.
    """
    token = _LOCAL_INFERENCE.set(True)
    try:
        with usual_settings():
            yield
    finally:
        _LOCAL_INFERENCE.reset(token)


@contextlib.contextmanager
def run_once(pixels=0):
    """A context in which what is `compiled` is to be called only once.

    On TensorFlow it then runs operation by operation: to compile it takes longer than
    that. Results may differ by rounding.

    Args:
        pixels: of the picture. A large one is worth the compilation, which saves
            memory too.
    """
    token = _RUN_ONCE.set(pixels <= _PIXELS_ONCE)
    try:
        yield
    finally:
        _RUN_ONCE.reset(token)


def compiled(function):
    """Compiles a function of tensors that only reads its model's variables.

    On TensorFlow it becomes a `tf.function` whose sizes turn dynamic once it has been
    called with two shapes; on JAX it is compiled anew for every shape, and the last
    `SHAPES` are kept.

    Args:
        function: of positional tensors, returning tensors; no side effects.

    Returns:
        A function that raises `ForkedProcessError` where it could only hang.
    """

    def traced(*tensors):
        with local_inference():
            return function(*tensors)

    fast = _jit(traced)

    @functools.wraps(function)
    def call(*tensors):
        check_process()
        if _RUN_ONCE.get() and keras.backend.backend() == "tensorflow":
            return traced(*tensors)
        return fast(*tensors)

    return call


def _jit(function):
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True, autograph=False)
    return _BoundedJit(function)


class _BoundedJit:
    """A function compiled by JAX for each shape, of which the last few are kept.

    JAX itself keeps all, some 20 MB for every size of a picture.

    Args:
        function: of tensors.
    """

    def __init__(self, function):
        self._function = function
        self._by_shape = collections.OrderedDict()
        self._lock = threading.Lock()

    def __call__(self, *tensors):
        import jax

        key = tuple((tensor.shape, str(tensor.dtype)) for tensor in tensors)
        with self._lock:
            # A function of its own for each: JAX keeps what it compiles by function.
            jitted = self._by_shape.pop(key, None) or jax.jit(
                lambda *inputs: self._function(*inputs)
            )
            self._by_shape[key] = jitted
            oldest = None
            if len(self._by_shape) > SHAPES:
                _, oldest = self._by_shape.popitem(last=False)
        if oldest is not None:
            oldest.clear_cache()
        return jitted(*tensors)
