"""TF2's interface of a reusable SavedModel."""

import tensorflow as tf

from yoto_tf.export.exportable import Endpoint


class Reusable(tf.Module):
    """A part of a model that can be called and trained after loading.

    It holds the bare `tf.Variable`s: a Keras model in it would be saved with Keras' own
    tracking of variables, which a session cannot restore.

    Args:
        part: a `Part`.

    Attributes:
        variables, trainable_variables: lists of `tf.Variable`.
        regularization_losses: list of functions without arguments.

    Reference: "Reusable SavedModels", TensorFlow Hub's documentation.
    """

    # In tf.Module these are properties, which a SavedModel does not hold.
    variables = None
    trainable_variables = None

    def __init__(self, part):
        super().__init__()
        self._endpoint = part.endpoint
        self.variables = [variable.value for variable in part.variables]
        trained = [variable for variable in part.variables if variable.trainable]
        self.trainable_variables = [variable.value for variable in trained]
        self.regularization_losses = [
            _regularization_loss(variable)
            for variable in trained
            if getattr(variable, "regularizer", None) is not None
        ]
        for training in (False, True):
            self.__call__.get_concrete_function(
                specs(part.endpoint.inputs), training=training
            )

    @tf.function(autograph=False)
    def __call__(self, inputs, training=False):
        return self._endpoint(_checked(self._endpoint, inputs), training=training)


def as_function(endpoint: Endpoint, jit_compile=None):
    """A `tf.function` of one dict, to be traced when it is saved."""
    return tf.function(
        lambda inputs: endpoint(_checked(endpoint, inputs)),
        input_signature=[specs(endpoint.inputs)],
        autograph=False,
        jit_compile=jit_compile,
    )


def specs(tensors):
    """{name: tf.TensorSpec}."""
    return {
        name: tf.TensorSpec(
            None
            if tensor.any_batch
            else [size if isinstance(size, int) else None for size in tensor.shape],
            tensor.dtype,
            name,
        )
        for name, tensor in tensors.items()
    }


def _checked(endpoint, inputs):
    """The inputs, checked: vectors have the shape [K] or [B, K].

    Their specs allow any shape, and [1, 3] for one coefficient would pass for three
    examples.
    """
    checked = dict(inputs)
    for name, tensor in endpoint.inputs.items():
        if not tensor.any_batch:
            continue
        shape, size = tf.shape(inputs[name]), tensor.shape[1]
        # The −1 is the last size of a scalar, which has no axis.
        last = tf.concat([[-1], shape], 0)[-1]
        fits = (last == size) & (tf.size(shape) <= 2)
        expected = f"input {name}: expected the shape [{size}] or [batch, {size}], got"
        with tf.control_dependencies([tf.debugging.Assert(fits, [expected, shape])]):
            checked[name] = tf.identity(inputs[name])
    return checked


def _regularization_loss(variable):
    function = tf.function(lambda: variable.regularizer(variable.value))
    function.get_concrete_function()
    return function
