"""Compiled inference on either backend."""

import contextlib
import contextvars

import keras

from yoto_tf.machine.keras_settings import usual_settings

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
    called with two shapes; on JAX it is compiled anew for every shape.

    Args:
        function: of positional tensors, returning tensors; no side effects.
    """

    def traced(*tensors):
        with running_here():
            return function(*tensors)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(traced, reduce_retracing=True, autograph=False)
    import jax

    return jax.jit(traced)
