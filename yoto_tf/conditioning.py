"""Gives an existing Keras model a coefficient input."""

import collections
import difflib
from collections.abc import Iterable

import keras

from yoto_tf.errors import RecipeError
from yoto_tf.layers import CoefficientEmbedding
from yoto_tf.modulation import (
    CONVOLUTIONS_AND_DENSE,
    Modulation,
    as_functional,
    is_graph,
)

_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
)


def condition(model, coefficients, layers=None, units=(64,)):
    """Returns a copy of a Keras model that takes loss coefficients as an input.

    Raw coefficients go through one `CoefficientEmbedding`, from which a `FiLM` after
    every chosen layer takes a scale and a shift for each channel. The weights carry
    over and FiLM starts as the identity, so that before any training the outputs are
    those of `model`, to the bit, whatever the coefficients. (Compilers may order sums
    differently in two graphs: in `predict` the last bits can differ.)

    Chosen are, unless `layers` says otherwise, all convolutions and dense layers except
    those that return an output of the model: a network is to *compute* differently, not
    to have its result rescaled. A normalisation would undo a scale that comes before
    it: where only normalisation layers read a convolution, FiLM comes after these
    instead, which makes them conditional normalisations (Dumoulin et al., 2017; de
    Vries et al., 2017). An activation that is part of the layer is taken out and
    applied after FiLM, the order of the FiLM and the YOTO papers. Models inside the
    model are conditioned inside and shared layers stay shared; every other layer is
    copied as it is.

    Args:
        model: a functional or built Sequential `keras.Model`. It is left as it is.
        coefficients: the `yoto_tf.Coefficients` to train on.
        layers: names of the layers after which FiLM goes; `"encoder/conv"` for the
            layer `conv` of the model `encoder` inside the model. Any layer whose output
            is one tensor [B, ..., C] can be named.
        units: see `CoefficientEmbedding`.

    Returns:
        A functional `keras.Model` with the outputs of `model`. Its input is a dict:
        `"coefficients"`, float32 [B, K], and the inputs of `model` by their names.

    Raises:
        RecipeError: `model` is neither functional nor Sequential or has an input named
            `coefficients`; there is nothing to condition; or a layer of `layers` does
            not exist or has no such output.

    Example:
        >>> network = yoto_tf.condition(keras.applications.MobileNetV2(), coefficients)

    References: Perez et al., "FiLM: Visual Reasoning with a General Conditioning
    Layer", AAAI 2018; Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional
    Training of Deep Networks", ICLR 2020.
    """
    _check(model)
    chosen = _default_layers(model) if layers is None else _checked(layers, model)
    if not chosen:
        raise RecipeError(
            f"model {model.name!r} has nothing to condition: expected a convolution or "
            "dense layer, channels last, before its output, or the names of layers"
        )
    raw = keras.Input((len(coefficients),), name="coefficients")
    embed = CoefficientEmbedding(coefficients, units, name="coefficient_embedding")
    return Modulation(chosen).apply(model, raw, embed(raw))


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
    if "coefficients" in [tensor.name for tensor in model.inputs]:
        raise RecipeError(f"model {model.name!r} has an input 'coefficients' already")


def _checked(names, model):
    """The set of `names`, each of a layer of `model` or of a model inside it."""
    paths = list(_paths(model))
    for name in names:
        if name not in paths:
            # First those where only the name of the inner model is missing.
            near = [path for path in paths if path.endswith(f"/{name}")]
            near += difflib.get_close_matches(name, paths, n=3, cutoff=0.5)
            raise RecipeError(
                f"model {model.name!r} has no layer {name!r}, nearest: "
                f"{', '.join(near[:3]) or 'none'}"
            )
    return set(names)


def _paths(model, prefix=""):
    for layer in model.layers:
        if not isinstance(layer, keras.layers.InputLayer):
            yield prefix + layer.name
        if is_graph(layer):
            yield from _paths(layer, f"{prefix}{layer.name}/")


def _default_layers(model, prefix="", is_last=True):
    """The set of paths of the layers that `condition` chooses."""
    graph = as_functional(model)
    readers = _readers(graph)
    outputs = graph.output_names if is_last else ()
    chosen = set()
    for layer in graph.layers:
        if is_graph(layer):
            chosen |= _default_layers(
                layer, f"{prefix}{layer.name}/", layer.name in outputs
            )
        elif isinstance(layer, CONVOLUTIONS_AND_DENSE):
            if getattr(layer, "data_format", None) == "channels_first":
                continue
            places = [layer]
            if readers[layer.name] and all(
                isinstance(reader, _NORMALIZATIONS) for reader in readers[layer.name]
            ):
                places = readers[layer.name]
            chosen |= {
                prefix + place.name for place in places if place.name not in outputs
            }
    return chosen


def _readers(graph):
    """{name of a layer: the layers and operations that take its output}."""
    operations = {operation.name: operation for operation in graph.operations}
    readers = collections.defaultdict(list)
    for config in graph.get_config()["layers"]:
        for source in _sources(config["inbound_nodes"]):
            readers[source].append(operations[config["name"]])
    return readers


def _sources(nodes):
    """Names of the layers whose outputs occur in a configuration of graph nodes."""
    if isinstance(nodes, dict):
        if nodes.get("class_name") == "__keras_tensor__":
            yield nodes["config"]["keras_history"][0]
            return
        nodes = nodes.values()
    if not isinstance(nodes, str) and isinstance(nodes, Iterable):
        for node in nodes:
            yield from _sources(node)
