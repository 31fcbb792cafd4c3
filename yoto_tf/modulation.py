"""Copies a graph of Keras layers with modulated layers in place of some of them."""

import re
import types

import keras
from keras import layers

from yoto_tf.conditional_network import ConditionalNetwork
from yoto_tf.errors import RecipeError
from yoto_tf.layers import FiLM, Gate, LoRA

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
    layers.EinsumDense,
    layers.SeparableConv1D,
    layers.SeparableConv2D,
)
# What an inner model calls the embedding that it is given.
_EMBEDDING = "coefficient_embedding"
# What Keras calls an input without a name; the number depends on the process.
_UNNAMED = re.compile(r"(keras_tensor|input_layer)(_\d+)?$")


def is_graph(layer):
    """Whether a layer is a functional or Sequential model, and nothing more.

    A subclass counts if it computes what its graph says, whatever else it can do.
    """
    if isinstance(layer, keras.Sequential):
        return True
    is_functional = isinstance(layer, keras.Model) and isinstance(layer, keras.Function)
    return is_functional and _package(type(layer).call) in ("keras", "yoto_tf")


def _package(function):
    return function.__module__.partition(".")[0]


def as_functional(model):
    """The functional model of the layers of a functional or Sequential model."""
    if isinstance(model, keras.Sequential):
        return keras.Model(model.inputs, model.outputs[0], name=model.name)
    return model


def input_names(model):
    """The names of a model's inputs.

    One without a name is called `inputs`; several are `input_0`, `input_1`, …
    """
    names = [tensor.name for tensor in model.inputs]
    unnamed = [position for position, name in enumerate(names) if _UNNAMED.match(name)]
    for number, position in enumerate(unnamed):
        names[position] = "inputs" if len(unnamed) == 1 else f"input_{number}"
    if len(set(names)) < len(names):
        raise RecipeError(f"model {model.name!r} needs names for its inputs")
    return names


class Modulation:
    """Copies a model with chosen layers modulated, which at the start changes nothing.

    Args:
        paths: set of the chosen layers, `"encoder/conv"` for one of an inner model.
        how: `"film"` and `"gate"` put a layer of that kind after each, `"lora"` puts
            each into a `LoRA`.
        rank: the rank of each `LoRA`.
        only: freeze all but the new layers.
    """

    def __init__(self, paths, how, rank, only):
        self._paths = paths
        self._how = how
        self._rank = rank
        self._only = only
        self._copies = {}  # id of an original: (original, copy)
        self._updated = {}  # id of a LoRA put round a copy: the copy
        self._after = {}  # id of a copy: what follows it, to be given the embedding
        self._activations = {}  # id of a copy: the activation after that
        self._inputs = {}  # id of an inner model that takes the embedding: its inputs

    def apply(self, model, source, embedding):
        """The copy of a built functional or Sequential model, with its weights.

        Args:
            model: the model.
            source: the symbolic input that the copy has besides those of `model`.
            embedding: the symbolic tensor [B, E], made of `source`, that FiLM reads.
        """
        inputs, outputs = self._rebuild(model, source, embedding, prefix="")
        for original, copied in self._copies.values():
            if isinstance(original, layers.Layer) and not is_graph(original):
                copied = self._updated.get(id(copied), copied)
                _carry_over(original, copied)
                if self._only:
                    copied.trainable = False
        return ConditionalNetwork(inputs, outputs, name=model.name)

    def _rebuild(self, model, source, embedding, prefix):
        originals = {source.name: keras.Input(source.shape[1:], name=source.name)}
        inputs = {source.name: source}
        for name, tensor in zip(input_names(model), model.inputs, strict=True):
            originals[name] = tensor
            inputs[name] = keras.Input(
                batch_shape=tensor.shape,
                dtype=tensor.dtype,
                sparse=tensor.sparse,
                name=name,
            )
        # Keras wants every input of a graph to lead somewhere.
        through = layers.Identity(name=f"{source.name}_through")
        outputs = [as_functional(model).output, through(originals[source.name])]
        clone = keras.models.clone_model(
            # A list, since a dict would need the inputs' former names.
            keras.Model(list(originals.values()), outputs),
            input_tensors=list(inputs.values()),
            clone_function=lambda layer: self._copy(layer, embedding.shape[1:], prefix),
            call_function=lambda layer, *args, **kwargs: self._call(
                layer, embedding, args, kwargs
            ),
        )
        return inputs, clone.output[0]

    def _copy(self, layer, embedding_shape, prefix):
        if id(layer) in self._copies:
            return self._copies[id(layer)][1]
        path = prefix + layer.name
        if is_graph(layer):
            copy = self._copy_graph(layer, embedding_shape, f"{path}/")
        elif path in self._paths and self._how == "lora":
            updated = from_config(layer, _config(layer))
            copy = LoRA(updated, self._rank, name=layer.name)
            self._updated[id(copy)] = updated
        elif path in self._paths and isinstance(layer, CONVOLUTIONS_AND_DENSE):
            copy = self._without_activation(layer)
        else:
            copy = from_config(layer, _config(layer))
            if path in self._paths:
                self._after[id(copy)] = self._new_layer(layer)
        if is_graph(layer) and path in self._paths:
            self._after[id(copy)] = self._new_layer(layer)
        self._copies[id(layer)] = layer, copy
        return copy

    def _without_activation(self, layer):
        """A copy of a convolution or dense layer, whose activation becomes a layer.

        An activity regulariser goes to the new layer that returns the outputs.
        """
        config = _config(layer)
        regularizer = {"activity_regularizer": layer.activity_regularizer}
        config.pop("activity_regularizer", None)
        is_linear = layer.activation is keras.activations.linear
        config["activation"] = None
        copy = from_config(layer, config)
        self._after[id(copy)] = self._new_layer(
            layer, **(regularizer if is_linear else {})
        )
        if not is_linear:
            self._activations[id(copy)] = layers.Activation(
                _activation(layer),
                dtype=layer.dtype_policy,
                name=f"{layer.name}_{self._how}_activation",
                **regularizer,
            )
        return copy

    def _new_layer(self, layer, **options):
        options["dtype"] = layer.dtype_policy
        options["name"] = f"{layer.name}_{self._how}"
        if self._how == "gate":
            return Gate(**options)
        return FiLM(kernel_initializer="zeros", **options)

    def _copy_graph(self, model, embedding_shape, prefix):
        if not any(path.startswith(prefix) for path in self._paths):
            return keras.models.clone_model(
                model,
                clone_function=lambda layer: self._copy(layer, embedding_shape, prefix),
            )
        embedding = keras.Input(embedding_shape, name=_EMBEDDING)
        inputs, outputs = self._rebuild(model, embedding, embedding, prefix)
        copy = keras.Model(inputs, outputs, name=model.name)
        self._inputs[id(copy)] = input_names(model)
        return copy

    def _call(self, layer, embedding, args, kwargs):
        if id(layer) in self._inputs:
            tensors = zip(
                self._inputs[id(layer)], keras.tree.flatten(args[0]), strict=True
            )
            args = ({**dict(tensors), _EMBEDDING: embedding}, *args[1:])
        if id(layer) in self._updated:
            return layer(args[0] if args else kwargs["inputs"], embedding)
        outputs = layer(*args, **kwargs)
        if id(layer) not in self._after:
            return outputs
        if not has_channels(outputs):
            raise RecipeError(
                f"layer {layer.name!r} cannot be conditioned: expected its output to "
                f"be one tensor [batch, ..., channels], got {outputs}"
            )
        outputs = self._after[id(layer)](outputs, embedding)
        activation = self._activations.get(id(layer))
        return activation(outputs) if activation else outputs


def has_channels(outputs):
    """Whether the symbolic outputs of a layer are one tensor [B, ..., C]."""
    shape = getattr(outputs, "shape", ())
    return len(shape) >= 2 and shape[-1] is not None


def _carry_over(original, copied):
    """Gives the built copy of a layer its weights, and freezes what is frozen."""
    inside = original._flatten_layers(), copied._flatten_layers()
    for old, new in zip(*inside, strict=True):
        if getattr(old, "lora_enabled", False):
            if not new.lora_enabled:
                new.enable_lora(old.lora_rank)
            new.lora_alpha = old.lora_alpha
        new.trainable = old.trainable
    for old, new in zip(original.weights, copied.weights, strict=True):
        # On JAX the two would share an array, which a training step donates.
        new.assign(keras.ops.convert_to_numpy(old))
        new.trainable = old.trainable
    if isinstance(copied, layers.Normalization):
        # It computes with tensors that it derives from its weights here.
        copied.finalize_state()


def _activation(layer):
    """The activation of a layer, as `from_config` takes it.

    A config has the name of a function, by which Keras finds its own and registered
    ones.
    """
    if isinstance(layer.activation, types.FunctionType):
        return layer.activation
    return layer.get_config()["activation"]


def _config(layer):
    try:
        return layer.get_config()
    except NotImplementedError as error:
        raise _not_copied(layer) from error


def from_config(layer, config):
    """A new layer or operation of the class of another, from a configuration."""
    if config.get("activation") is not None and hasattr(layer, "activation"):
        config["activation"] = _activation(layer)
    # The code of a Lambda runs in this process already: nothing to guard against.
    options = {"safe_mode": False} if isinstance(layer, layers.Lambda) else {}
    try:
        return type(layer).from_config(config, **options)
    except (NotImplementedError, TypeError) as error:
        raise _not_copied(layer) from error


def _not_copied(layer):
    return RecipeError(
        f"layer {layer.name!r} cannot be copied: expected get_config of "
        f"{type(layer).__name__} to return all that its constructor needs"
    )
