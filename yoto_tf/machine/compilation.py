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
_HERE = contextvars.ContextVar("_HERE", default=False)


def runs_here():
    """Whether what is computed or traced is for this process, no export or training.

    It may then use what is fast here, and what other runtimes lack, misread or are slow
    at, or what has a slow gradient.
    """
    return _HERE.get()


@contextlib.contextmanager
def running_here():
    """Within it `runs_here` is true, as it is in what is `compiled`.

    Keras' settings are the usual ones, whatever the user's are.
    """
    token = _HERE.set(True)
    try:
        with usual_settings():
            yield
    finally:
        _HERE.reset(token)


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
        with running_here():
            return function(*tensors)

    fast = _jit(traced)

    @functools.wraps(function)
    def call(*tensors):
        check_process()
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
