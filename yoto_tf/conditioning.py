"""Gives an existing Keras model a coefficient input."""

import collections
import difflib
import fnmatch
import math

import keras

from yoto_tf.errors import RecipeError
from yoto_tf.layers import CoefficientEmbedding, LoRA
from yoto_tf.modulation import (
    CONVOLUTIONS_AND_DENSE,
    Modulation,
    as_functional,
    has_channels,
    input_names,
    is_graph,
)

_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)
_RECURRENT = (keras.layers.RNN, keras.layers.Bidirectional)
# The widths of the perceptron that reads the coefficients, for each way to condition.
# A narrow last layer, which all modulated layers share, keeps these small: a channel of
# FiLM has two weights for every number of the embedding.
_UNITS = {"film": (64, 8), "lora": (64, 8), "gate": ()}


def condition(
    model, coefficients, layers=None, units=None, how="film", rank=4, train="all"
):
    """Returns a copy of a Keras model that takes loss coefficients as an input.

    Raw coefficients go through one `CoefficientEmbedding`, which every modulated layer
    reads. There are three ways to modulate a layer:

    - `"film"`: a `FiLM` after it takes a scale and a shift for each channel.
    - `"lora"`: a `LoRA` around it adds an update of low rank to its kernel.
    - `"gate"`: a `Gate` after it scales each channel, by an affine function of the
      standardised coefficients and a sigmoid.

    The weights carry over, and all three start as the identity, so that before any
    training the outputs are those of `model`, to the bit, whatever the coefficients.
    (Compilers may order sums differently in two graphs: in `predict` the last bits can
    differ.) Frozen layers and variables stay frozen.

    Unless `layers` says otherwise, all convolutions, dense and recurrent layers are
    chosen, except those that return an output of the model: a network is to *compute*
    differently, not to have its result rescaled. A normalisation would undo a scale
    that comes before it: where only normalisation layers read a convolution, FiLM or
    gate come after these instead, which makes them conditional normalisations (Dumoulin
    et al., 2017; de Vries et al., 2017). An activation that is part of the layer is
    taken out and applied after them, the order of the FiLM and the YOTO papers; an
    activity regulariser acts on what comes out then. `"lora"` chooses every layer that
    `LoRA` takes, also those that return an output.

    Models inside the model are conditioned inside and shared layers stay shared; every
    other layer is copied as it is. `conditionable` shows what there is to choose from.

    Args:
        model: a functional or built Sequential `keras.Model`, or a subclass that
            computes what its functional graph says. It is left as it is.
        coefficients: the `yoto_tf.Coefficients` to train on.
        layers: names of the layers to modulate, or patterns of names, one or several:
            `"encoder/conv"` for the layer `conv` of the model `encoder` inside the
            model, `"transformer_layer_*"` for all that begin so. Any layer whose output
            is one tensor [B, ..., C] can be named; for `"lora"`, one that `LoRA` takes.
        units: widths of the perceptron, see `CoefficientEmbedding`. None stands for
            (64, 8), and for () with `"gate"`: a wider last layer lets the network
            change in more ways along the dial and costs more parameters.
        how: `"film"`, `"lora"` or `"gate"`.
        rank: of the updates of `"lora"`.
        train: `"all"`, or the same as `how` to freeze all that `model` had.

    Returns:
        A `ConditionalNetwork`, a functional `keras.Model` with the outputs of `model`.
        Its input is a dict: `"coefficients"`, float32 [B, K], and the inputs of `model`
        by their names. A single input is taken under any name; one that has no name is
        called `"inputs"`, several are `"input_0"`, `"input_1"` and so on.

    Raises:
        RecipeError: `model` is neither functional nor Sequential or has an input named
            `coefficients`; there is nothing to condition; a layer of `layers` does not
            exist or cannot be modulated so; a layer cannot be copied from its config;
            or `how`, `rank` or `train` has another value than these.

    Example:
        >>> network = yoto_tf.condition(keras.applications.MobileNetV2(), coefficients)

    References: Perez et al., "FiLM: Visual Reasoning with a General Conditioning
    Layer", AAAI 2018; Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional
    Training of Deep Networks", ICLR 2020; for the others see `LoRA` and `Gate`.
    """
    chosen = _chosen(model, layers, how)
    if train not in ("all", how):
        raise RecipeError(f"train must be 'all' or {how!r}, got {train!r}")
    if rank < 1:
        raise RecipeError(f"rank must be 1 or more, got {rank}")
    if not chosen:
        raise RecipeError(
            f"model {model.name!r} has nothing to condition: expected a convolution or "
            "dense layer, channels last, before its output, or the names of layers"
        )
    raw = keras.Input((len(coefficients),), name="coefficients")
    units = _UNITS[how] if units is None else units
    embed = CoefficientEmbedding(coefficients, units, name="coefficient_embedding")
    modulation = Modulation(chosen, how, rank, only=train == how)
    return modulation.apply(model, raw, embed(raw))


def conditionable(model, layers=None, how="film", coefficients=None, rank=4):
    """Prints the layers of a model that `condition` can modulate, as a table.

    A row is the path of a layer, its type, whether `condition` would choose it for the
    same arguments, and the parameters that its modulation has or would have.

    Args:
        model: as for `condition`.
        layers: as for `condition`.
        how: as for `condition`.
        coefficients: as for `condition`; None counts as one coefficient.
        rank: as for `condition`.

    Raises:
        RecipeError: as `condition`.
    """
    chosen = _chosen(model, layers, how)
    count = 1 if coefficients is None else len(coefficients)
    width = count + sum(_UNITS[how][-1:])
    rows = [("path", "type", "chosen", f"{how} parameters")]
    total = 0
    for path, layer in _layers(model):
        if not _can_be_modulated(layer, how):
            continue
        parameters = _parameters(layer, how, width, rank)
        total += parameters if path in chosen else 0
        mark = "yes" if path in chosen else ""
        rows.append((path, type(layer).__name__, mark, f"{parameters:,}"))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for path, kind, mark, parameters in rows:
        cells = [path.ljust(widths[0]), kind.ljust(widths[1]), mark.ljust(widths[2])]
        print("  ".join([*cells, parameters.rjust(widths[3])]))
    own = model.count_params()
    share = f", {100 * total / own:.1f} % of" if own else " beside"
    print(f"{len(chosen)} chosen: {total:,} parameters{share} the model's {own:,}")


def _parameters(layer, how, width, rank):
    """The parameters of a layer's modulation by an embedding [B, width]."""
    if how == "lora":
        is_transposed = "Transpose" in type(layer).__name__
        outputs = layer.kernel.shape[-2 if is_transposed else -1]
        inputs = math.prod(layer.kernel.shape) // outputs
        return rank * (inputs + outputs + width + 1)
    channels = layer.output.shape[-1]
    return channels * (width + 1) * (2 if how == "film" else 1)


def _chosen(model, layers, how):
    """The set of paths of the layers to modulate, after all checks."""
    if how not in _UNITS:
        raise RecipeError(f"how must be one of {', '.join(_UNITS)}, got {how!r}")
    _check(model)
    if layers is None:
        return _default_layers(model, how)
    return _named([layers] if isinstance(layers, str) else layers, model, how)


def _check(model):
    if not is_graph(model):
        raise RecipeError(
            "only a functional or Sequential Keras model can be conditioned, got a "
            f"{type(model).__name__}: call FiLM in its own code"
        )
    if not model.built:
        raise RecipeError(
            f"model {model.name!r} has no input shape yet: build it or add an Input"
        )
    if "coefficients" in input_names(model):
        raise RecipeError(f"model {model.name!r} has an input 'coefficients' already")


def _named(patterns, model, how):
    """The set of paths that match `patterns`, each of which must match one."""
    found = dict(_layers(model))
    chosen = set()
    for pattern in patterns:
        matching = {path for path in found if _matches(path, pattern)}
        if not matching:
            # First those that lack only the name of the inner model.
            near = [path for path in found if _matches(path.split("/")[-1], pattern)]
            near += difflib.get_close_matches(pattern, found, n=3, cutoff=0.5)
            raise RecipeError(
                f"model {model.name!r} has no layer {pattern!r}, nearest: "
                f"{', '.join(near[:3]) or 'none'}"
            )
        chosen |= matching
    if how == "lora":
        for path in chosen:
            if not LoRA.can_update(found[path]):
                raise RecipeError(
                    f"layer {path!r} has no kernel that 'lora' can update: expected a "
                    "dense layer or a convolution with channels last, got a "
                    f"{type(found[path]).__name__}"
                )
    return chosen


def _matches(path, pattern):
    """Whether a path matches, as for files: `*` stands for a part of one name."""
    names, patterns = path.split("/"), pattern.split("/")
    return len(names) == len(patterns) and all(
        map(fnmatch.fnmatchcase, names, patterns)
    )


def _layers(model, prefix=""):
    """Yields the path and the layer of every layer, those of inner models too."""
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name, layer
        if is_graph(layer):
            yield from _layers(layer, f"{prefix}{layer.name}/")


def _can_be_modulated(layer, how):
    if how == "lora":
        return LoRA.can_update(layer)
    return has_channels(layer.output)


def _default_layers(model, how, prefix="", is_last=True):
    """The set of paths of the layers that `condition` chooses."""
    graph = as_functional(model)
    readers = _readers(graph)
    outputs = graph.output_names if is_last and how != "lora" else ()
    chosen = set()
    for layer in graph.layers:
        if is_graph(layer):
            chosen |= _default_layers(
                layer, how, f"{prefix}{layer.name}/", layer.name in outputs
            )
            continue
        places = [layer] if _is_chosen(layer, how) else []
        following = readers[layer.name]
        if (
            places
            and following
            and how != "lora"
            and all(isinstance(reader, _NORMALIZATIONS) for reader in following)
        ):
            places = following
        chosen |= {prefix + place.name for place in places if place.name not in outputs}
    return chosen


def _is_chosen(layer, how):
    if how == "lora":
        return LoRA.can_update(layer)
    if isinstance(layer, _RECURRENT):
        return has_channels(layer.output)
    return (
        isinstance(layer, CONVOLUTIONS_AND_DENSE)
        and getattr(layer, "data_format", None) != "channels_first"
    )


def _readers(graph):
    """{name of a layer: the layers and operations that take its output}."""
    readers = collections.defaultdict(list)
    # Not from the graph's config: a subclass may have one of its own.
    for nodes in graph._nodes_by_depth.values():
        for node in nodes:
            for tensor in node.input_tensors:
                readers[tensor._keras_history.operation.name].append(node.operation)
    return readers
