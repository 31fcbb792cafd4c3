"""Gradients of several loss terms for the same variables, on every backend."""

import keras
import numpy as np
from keras import ops


def gradients(variables, terms):
    """Values and gradients of scalars.

    Args:
        variables: a list of trainable `keras.Variable`s.
        terms: function without arguments that computes {name: scalar tensor}.

    Returns:
        {name: (value, gradients)}, a float and a list of NumPy arrays, one for each
        variable, of zeros where a term does not depend on it.
    """
    return _BACKENDS[keras.backend.backend()](variables, terms)


def flat_norm(arrays):
    """The norm of all arrays together."""
    return float(np.sqrt(sum(np.sum(np.square(array)) for array in arrays)))


def _tensorflow(variables, terms):
    import tensorflow as tf

    with tf.GradientTape(persistent=True) as tape:
        values = terms()
    raw = [variable.value for variable in variables]
    zero = tf.UnconnectedGradients.ZERO
    found = {}
    for name, value in values.items():
        sources = tape.gradient(value, raw, unconnected_gradients=zero)
        # TensorFlow returns the gradient of an embedding as slices.
        found[name] = _as_numpy(value, map(tf.convert_to_tensor, sources))
    return found


def _jax(variables, terms):
    import jax

    def compute(values):
        # Without a scope, what a layer assigns would leak out of the trace.
        mapping = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=mapping):
            found = terms()
        return found, found

    values = [variable.value for variable in variables]
    found, values = jax.jacrev(compute, has_aux=True)(values)
    return {name: _as_numpy(values[name], found[name]) for name in values}


def _torch(variables, terms):
    import torch

    with torch.enable_grad():
        values = terms()
        raw = [variable.value for variable in variables]
        found = {
            name: torch.autograd.grad(value, raw, retain_graph=True, allow_unused=True)
            for name, value in values.items()
        }
    zeros = [torch.zeros_like(value) for value in raw]
    return {
        name: _as_numpy(
            values[name].detach(),
            [
                zero if gradient is None else gradient
                for zero, gradient in zip(zeros, given, strict=True)
            ],
        )
        for name, given in found.items()
    }


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}


def _as_numpy(value, arrays):
    dense = [ops.convert_to_numpy(array).astype("float64") for array in arrays]
    return float(value), dense
