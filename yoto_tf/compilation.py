"""Compiled inference on either backend."""

import keras


def compiled(function):
    """Compiles a function of tensors that only reads its model's variables.

    On TensorFlow it becomes a `tf.function` whose sizes turn dynamic once it has been
    called with two shapes; on JAX it is compiled anew for every shape.

    Args:
        function: of positional tensors, returning tensors; no side effects.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, reduce_retracing=True, autograph=False)
    import jax

    return jax.jit(function)
