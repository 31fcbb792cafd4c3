"""Compiled inference on either backend."""

import contextvars

import keras

_COMPILED = contextvars.ContextVar("_COMPILED", default=False)


def runs_here():
    """Whether what is being traced is `compiled`: for this process alone.

    It may then use operations that the runtimes of an export lack or misread.
    """
    return _COMPILED.get()


def compiled(function):
    """Compiles a function of tensors that only reads its model's variables.

    On TensorFlow it becomes a `tf.function` whose sizes turn dynamic once it has been
    called with two shapes; on JAX it is compiled anew for every shape.

    Args:
        function: of positional tensors, returning tensors; no side effects.
    """

    def traced(*tensors):
        token = _COMPILED.set(True)
        try:
            return function(*tensors)
        finally:
            _COMPILED.reset(token)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(traced, reduce_retracing=True, autograph=False)
    import jax

    return jax.jit(traced)
