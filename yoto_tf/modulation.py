"""Copies a graph of Keras layers with FiLM after some of them."""

import types

import keras
from keras import layers

from yoto_tf.errors import RecipeError
from yoto_tf.layers import FiLM

# Layers whose activation, if they have one, is the last thing they do.
CONVOLUTIONS_AND_DENSE = (
    layers.Conv1D,
    layers.Conv1DTranspose,
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.Conv3D,
    layers.Conv3DTranspose,
    layers.Dense,
    layers.DepthwiseConv1D,
    layers.DepthwiseConv2D,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
# What an inner model calls the embedding that it is given.
_EMBEDDING = "coefficient_embedding"


def is_graph(layer):
    """Whether a layer is a functional or Sequential model."""
    functional = isinstance(layer, keras.Model) and isinstance(layer, keras.Function)
    return functional or isinstance(layer, keras.Sequential)


def as_functional(model):
    """The functional model of the layers of a functional or Sequential model."""
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs, model.outputs[0], name=model.name)
    return model


class Modulation:
    """Copies a model with FiLM, at the start the identity, after chosen layers.

    Args:
        paths: set of the chosen layers, `"encoder/conv"` for one of an inner model.
    """

    def __init__(self, paths):
        self._paths = paths
        self._copies = {}  # id of an original: (original, copy)
        self._films = {}  # id of a copy: (its FiLM, the activation after it or None)
        self._inputs = {}  # id of an inner model that takes the embedding: its inputs

    def apply(self, model, source, embedding):
        """The copy of a built functional or Sequential model, with its weights.

        Args:
            model: the model.
            source: the symbolic input that the copy has besides those of `model`.
            embedding: the symbolic tensor [B, E], made of `source`, that FiLM reads.
        """
        copy = self._rebuild(model, source, embedding, prefix="")
        for original, copied in self._copies.values():
            if isinstance(copied, layers.Layer) and not is_graph(copied):
                copied.set_weights(original.get_weights())
            if isinstance(copied, layers.Normalization):
                # It computes with tensors that it derives from its weights.
                copied.finalize_state()
        return copy

    def _rebuild(self, model, source, embedding, prefix):
        originals = {source.name: keras.Input(source.shape[1:], name=source.name)}
        inputs = {source.name: source}
        for tensor in model.inputs:
            originals[tensor.name] = tensor
            inputs[tensor.name] = keras.Input(
                batch_shape=tensor.shape,
                dtype=tensor.dtype,
                sparse=tensor.sparse,
                name=tensor.name,
            )
        # Keras wants every input of a graph to lead somewhere.
        through = layers.Identity(name=f"{source.name}_through")
        outputs = [as_functional(model).output, through(originals[source.name])]
        clone = keras.models.clone_model(
            keras.Model(originals, outputs),
            input_tensors=inputs,
            clone_function=lambda layer: self._copy(layer, embedding.shape[1:], prefix),
            call_function=lambda layer, *args, **kwargs: self._call(
                layer, embedding, args, kwargs
            ),
        )
        return keras.Model(inputs, clone.output[0], name=model.name)

    def _copy(self, layer, embedding_shape, prefix):
        if id(layer) in self._copies:
            return self._copies[id(layer)][1]
        path = prefix + layer.name
        activation = None
        if is_graph(layer):
            copy = self._copy_graph(layer, embedding_shape, f"{path}/")
        else:
            config = layer.get_config()
            if path in self._paths and isinstance(layer, CONVOLUTIONS_AND_DENSE):
                activation = _activation_of(layer)
                config["activation"] = None
            copy = from_config(layer, config)
        if path in self._paths:
            film = FiLM(
                kernel_initializer="zeros",
                dtype=layer.dtype_policy,
                name=f"{layer.name}_film",
            )
            self._films[id(copy)] = film, activation
        self._copies[id(layer)] = layer, copy
        return copy

    def _copy_graph(self, model, embedding_shape, prefix):
        if not any(path.startswith(prefix) for path in self._paths):
            return keras.models.clone_model(
                model,
                clone_function=lambda layer: self._copy(layer, embedding_shape, prefix),
            )
        embedding = keras.Input(embedding_shape, name=_EMBEDDING)
        copy = self._rebuild(model, embedding, embedding, prefix)
        self._inputs[id(copy)] = [tensor.name for tensor in model.inputs]
        return copy

    def _call(self, layer, embedding, args, kwargs):
        if id(layer) in self._inputs:
            tensors = zip(
                self._inputs[id(layer)], keras.tree.flatten(args[0]), strict=True
            )
            args = ({**dict(tensors), _EMBEDDING: embedding}, *args[1:])
        outputs = layer(*args, **kwargs)
        if id(layer) not in self._films:
            return outputs
        shape = getattr(outputs, "shape", ())
        if len(shape) < 2 or shape[-1] is None:
            raise RecipeError(
                f"layer {layer.name!r} cannot be conditioned: expected its output to "
                f"be one tensor [batch, ..., channels], got {outputs}"
            )
        film, activation = self._films[id(layer)]
        outputs = film(outputs, embedding)
        return activation(outputs) if activation else outputs


def _activation_of(layer):
    """The activation of a layer as a layer of its own; None if it has none."""
    if layer.activation is keras.activations.linear:
        return None
    return layers.Activation(
        _activation(layer),
        dtype=layer.dtype_policy,
        name=f"{layer.name}_film_activation",
    )


def _activation(layer):
    """What makes the same activation again.

    The config names a function, which Keras finds only if it is its own or registered.
    """
    if isinstance(layer.activation, types.FunctionType):
        return layer.activation
    return layer.get_config()["activation"]


def from_config(layer, config):
    """A new layer or operation like another, of a configuration."""
    if config.get("activation") is not None and hasattr(layer, "activation"):
        config["activation"] = _activation(layer)
    if isinstance(layer, layers.Lambda):
        # Its code runs in this process already: there is nothing to guard against.
        return type(layer).from_config(config, safe_mode=False)
    return type(layer).from_config(config)
