"""A network at one setting of its dial, as a plain Keras model."""

import functools
import itertools

import keras
import numpy as np
from keras import layers, ops

from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.layers import FiLM, Gate, LoRA
from yoto_tf.modulation import (
    CONVOLUTIONS_AND_DENSE,
    as_functional,
    from_config,
    is_graph,
)

_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
_SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
_NORMALIZATIONS = (
    layers.BatchNormalization,
    layers.GroupNormalization,
    layers.LayerNormalization,
)
# Layers that scale and shift the channels of another layer.
_MODULATING = (FiLM, Gate)
_EPSILON = 1e-3


def bake(model, **coefficients):
    """The plain network at one setting, without the input for coefficients.

    All that depends on the coefficients alone becomes constant. A `LoRA` becomes the
    layer it wraps, with the update in its kernel. A `FiLM` or `Gate` is folded into the
    weights of the convolution, dense layer or normalisation before it, if nothing else
    reads that layer: the network then costs no more than the unconditioned one. Any
    other becomes a frozen batch normalisation, which multiplies and adds.

    Args:
        model: a `LossConditionalModel` with a functional network. It is left as it is.
        **coefficients: values by name; others take their middle.

    Returns:
        A functional `keras.Model` with the outputs of the network and its other inputs,
        in their order or by name.

    Raises:
        RecipeError: the network is neither functional nor Sequential.
        CoefficientError: unknown name or value out of range.

    Example:
        >>> yoto_tf.bake(model, depth=0.1).save("depth.keras")
    """
    if not hasattr(model, "coefficients"):
        raise CoefficientError(
            f"bake expects a LossConditionalModel, got a {type(model).__name__}"
        )
    network = model.network
    if not is_graph(network):
        raise RecipeError(
            "only a functional network can be baked, got a "
            f"{type(network).__name__}: give it constant coefficients in its own code"
        )
    vector = model.coefficients.vector(**coefficients)
    return _Baking().graph(network, {"coefficients": _Constant(vector[None])})


class _Constant:
    """The value of a tensor that is the same for every example: [1, ...]."""

    def __init__(self, value):
        self.value = ops.convert_to_numpy(value)


class _Baking:
    """Rebuilds graphs of layers with their weights; shared layers stay shared."""

    def __init__(self):
        self._copies = {}  # id of a layer or operation: it and its copy
        self._makers = {}  # id of a new tensor: it and the original of its maker

    def graph(self, model, constants):
        """A copy of a model without the inputs in `constants`, {name: `_Constant`}."""
        model = as_functional(model)
        inputs = {
            tensor.name: keras.Input(
                batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name
            )
            for tensor in model.inputs
            if tensor.name not in constants
        }
        self._like = next(iter(inputs.values()))
        self._modulated_only = _modulated_only(model)
        outputs = model._run_through_graph(
            [{**inputs, **constants}[tensor.name] for tensor in model.inputs],
            operation_fn=lambda operation: functools.partial(self._call, operation),
        )
        outputs = keras.tree.map_structure(self._symbolic, outputs)
        # A list, which Keras takes by position and by name; a dict it would sort.
        order = model.input if isinstance(model.input, dict) else inputs
        given = [inputs[name] for name in order if name in inputs]
        given = given if len(given) > 1 else given[0]
        return keras.Model(given, outputs, name=model.name)

    def _call(self, operation, *args, **kwargs):
        leaves = keras.tree.flatten((args, kwargs))
        constants = [leaf for leaf in leaves if isinstance(leaf, _Constant)]
        if constants and not any(_is_symbolic(leaf) for leaf in leaves):
            args, kwargs = keras.tree.map_structure(_value, (args, kwargs))
            outputs = operation(*args, **kwargs)
            return keras.tree.map_structure(_Constant, outputs)
        if isinstance(operation, _MODULATING) and isinstance(args[1], _Constant):
            return self._modulate(operation, args[0], args[1].value)
        if isinstance(operation, LoRA) and isinstance(args[1], _Constant):
            if id(operation) not in self._copies:
                self._copies[id(operation)] = operation, operation.at(args[1].value)
            return self._copies[id(operation)][1](args[0])
        if is_graph(operation):
            return self._inner(operation, args, kwargs)
        args, kwargs = keras.tree.map_structure(self._symbolic, (args, kwargs))
        copy = self._copy(operation)
        outputs = copy(*args, **kwargs)
        if isinstance(copy, layers.Layer):
            _copy_weights(operation, copy)
        if id(operation) in self._modulated_only:
            self._makers[id(outputs)] = outputs, operation
        return outputs

    def _inner(self, model, args, kwargs):
        """Calls a model inside the model, baked if constants go into it."""
        names = [tensor.name for tensor in as_functional(model).inputs]
        given = args[0]
        if isinstance(given, dict) and isinstance(model.input, dict):
            flat = dict(given)
        else:
            flat = dict(zip(names, keras.tree.flatten(given), strict=True))
        constants = {k: v for k, v in flat.items() if isinstance(v, _Constant)}
        rest = {k: v for k, v in flat.items() if k not in constants}
        if id(model) not in self._copies:
            outside = self._like, self._modulated_only
            self._copies[id(model)] = model, self.graph(model, constants)
            self._like, self._modulated_only = outside
        copy = self._copies[id(model)][1]
        return copy(rest if len(rest) > 1 else next(iter(rest.values())), **kwargs)

    def _copy(self, operation):
        if id(operation) not in self._copies:
            config = operation.get_config()
            if id(operation) in self._modulated_only:
                # There must be something to fold a scale and a shift into.
                given = {"use_bias", "center", "scale"} & config.keys()
                config |= dict.fromkeys(given, True)
            copy = from_config(operation, config)
            self._copies[id(operation)] = operation, copy
        return self._copies[id(operation)][1]

    def _modulate(self, film, inputs, embedding):
        scale, shift = film.at(embedding)
        _, maker = self._makers.get(id(inputs), (None, None))
        if maker is not None:
            _fold(self._copies[id(maker)][1], scale, shift)
            return inputs
        if id(film) not in self._copies:
            layer = layers.BatchNormalization(
                epsilon=_EPSILON,
                trainable=False,
                dtype=film.dtype_policy,
                name=film.name,
            )
            self._copies[id(film)] = film, layer
        layer = self._copies[id(film)][1]
        outputs = layer(inputs)
        variance = np.full_like(scale, 1 - _EPSILON)
        layer.set_weights([scale, shift, np.zeros_like(scale), variance])
        return outputs

    def _symbolic(self, leaf):
        """A constant as a tensor [B, ...] of a graph."""
        if not isinstance(leaf, _Constant):
            return leaf
        value = leaf.value.astype("float32")
        like = ops.cast(self._like, "float32")
        axes = tuple(range(1, len(like.shape)))
        one_each = ops.expand_dims(ops.mean(like, axis=axes), -1)
        dense = layers.Dense(value.size, dtype="float32")
        rows = dense(one_each)
        dense.set_weights([np.zeros((1, value.size)), value.reshape(-1)])
        return ops.reshape(rows, (-1, *value.shape[1:]))


def _modulated_only(model):
    """Ids of the layers that are called once and read by a FiLM or gate alone."""
    calls, readers = {}, {}
    for node in itertools.chain(*model._nodes_by_depth.values()):
        if node.operation is not None:
            calls.setdefault(id(node.operation), []).append(node)
            for position, tensor in enumerate(node.input_tensors):
                read = node.operation, position
                readers.setdefault(id(tensor), []).append(read)
    results = {id(tensor) for tensor in model.outputs}
    found = set()
    for node, *others in calls.values():
        if others or len(node.outputs) != 1 or not _is_foldable(node.operation):
            continue
        tensor = node.outputs[0]
        read = readers.get(id(tensor), [])
        if id(tensor) not in results and len(read) == 1:
            reader, position = read[0]
            if isinstance(reader, _MODULATING) and position == 0:
                found.add(id(node.operation))
    return found


def _is_foldable(layer):
    """Whether a scale and a shift of the last axis can go into a layer's weights."""
    if isinstance(layer, _NORMALIZATIONS):
        axis = layer.axis if isinstance(layer.axis, int) else None
        return axis == -1 or axis == len(layer.output.shape) - 1
    return (
        isinstance(layer, CONVOLUTIONS_AND_DENSE)
        and not isinstance(layer, layers.EinsumDense)
        and layer.activation is keras.activations.linear
        and getattr(layer, "data_format", None) != "channels_first"
        and not getattr(layer, "lora_enabled", False)
    )


def _copy_weights(layer, copy):
    weights = {weight.name: weight for weight in layer.weights}
    if len(weights) == len(layer.weights) < len(copy.weights):
        for weight in copy.weights:
            one = 1.0 if weight.name == "gamma" else 0.0
            weight.assign(weights.get(weight.name, ops.full(weight.shape, one)))
    else:
        copy.set_weights(layer.get_weights())
    if isinstance(copy, layers.Normalization):
        # It computes with tensors that it derives from its weights here.
        copy.finalize_state()


def _fold(layer, scale, shift):
    """Scales and shifts the last axis of what a layer returns."""
    if isinstance(layer, _NORMALIZATIONS):
        layer.gamma.assign(ops.convert_to_numpy(layer.gamma) * scale)
        layer.beta.assign(ops.convert_to_numpy(layer.beta) * scale + shift)
        return
    kernel = layer.pointwise_kernel if isinstance(layer, _SEPARABLE) else layer.kernel
    factor = scale
    if isinstance(layer, _TRANSPOSED):
        factor = scale[:, None]
    elif isinstance(layer, _DEPTHWISE):
        factor = scale.reshape(kernel.shape[-2:])
    kernel.assign(ops.convert_to_numpy(kernel) * factor)
    layer.bias.assign(ops.convert_to_numpy(layer.bias) * scale + shift)


def _value(leaf):
    return ops.convert_to_tensor(leaf.value) if isinstance(leaf, _Constant) else leaf


def _is_symbolic(leaf):
    return isinstance(leaf, keras.KerasTensor)
