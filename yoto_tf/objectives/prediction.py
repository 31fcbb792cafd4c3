"""Outputs and terms of a model at a setting, for arrays and data sets."""

import keras
import numpy as np
from keras import ops

from yoto_tf.errors import CoefficientError
from yoto_tf.objectives import additional_losses, batches


def predict_at(model, inputs, batch_size, values):
    """See `LossConditionalModel.predict_at`."""
    if batches.given_coefficients(inputs) is not None:
        raise CoefficientError("give the coefficients by name or as input, not both")
    if _is_arrays(inputs):
        count = len(keras.tree.flatten(inputs)[0])
        rows = model.coefficients.rows(count, **values)
        named = _with_rows(model, inputs, rows)
        return model.predict(named, batch_size=batch_size, verbose=0)
    vector = model.coefficients.vector(**values)
    outputs = [
        run(model, keras.utils.unpack_x_y_sample_weight(batch)[0], vector)[0]
        for batch in batches.finite(inputs)
    ]
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)


def _with_rows(model, inputs, rows):
    """The inputs of `predict` with vectors, even if the network reads none.

    Without vectors the model would draw some and return them beside the outputs.
    """
    named = batches.network_inputs(model.network, inputs, rows)
    return {**named, "coefficients": rows}


def run(model, inputs, vector):
    """The outputs of one batch at one vector [K], as NumPy, and the network's losses.

    It runs compiled, by `predict_on_batch`, with two exceptions. That function does not
    return losses that layers add, and it gives the whole batch to each of the replicas.
    """
    size = len(keras.tree.flatten(inputs)[0])
    rows = np.tile(vector, (size, 1))
    named = batches.network_inputs(model.network, inputs, rows)
    strategy = getattr(model, "_distribute_strategy", None)
    layers_add = set(model.coefficients.names) & (
        additional_losses.nameable(model.network) - set(model.output_names or ())
    )
    if strategy is None and not layers_add:
        return model.predict_on_batch(_with_rows(model, inputs, rows)), []
    outputs = model.network(named, training=False)
    names = additional_losses.names_of_own(model.network)
    added = additional_losses.named(model.network.losses, names)
    return keras.tree.map_structure(ops.convert_to_numpy, outputs), added


def measure(model, batch, vector):
    """The outputs and the unweighted terms of one batch at one vector [K].

    Args:
        model: a `LossConditionalModel`.
        batch: a dict, or (x, y) or (x, y, sample_weight); arrays.

    Returns:
        The outputs, tensors; {name: tensor [B]}; and what these are scalarised to,
        [B], with `loss_weights` and without what balances and normalises a training.
    """
    inputs = keras.utils.unpack_x_y_sample_weight(batch)[0]
    outputs, added = run(model, inputs, vector)
    outputs, *batch = map(_tensors, (outputs, *_three(batch)))
    terms = _terms(model, batch, vector, outputs, added)
    return outputs, terms, _total(model, vector, terms, {name for name, _ in added})


def _total(model, vector, terms, of_layers):
    """What terms {name: [B]} are scalarised to, [B]; those of layers are added."""
    weights = dict(zip(model.coefficients.names, map(float, vector), strict=True))
    compiled = model._compile_loss
    factors = compiled.factors if compiled and not model.objective.function else {}
    weights = {name: weights.get(name, 1.0) * factors.get(name, 1.0) for name in terms}
    rows = {name: ops.cast(term, "float32") for name, term in terms.items()}
    own = {name: rows.pop(name) for name in of_layers & rows.keys()}
    parts = [weights[name] * row for name, row in own.items()]
    if rows:
        parts.append(model.objective.scalarize(rows, {n: weights[n] for n in rows}))
    return sum(parts)


def terms_at(model, batch, vector):
    """The means of the unweighted terms of one batch at one vector [K], in a graph.

    Args:
        model: a `LossConditionalModel`.
        batch: a dict, or (x, y) or (x, y, sample_weight); arrays.

    Returns:
        {name: scalar tensor}, which depend on the variables of the network.
    """
    batch = inputs, _, _ = [_tensors(part) for part in _three(batch)]
    rows = np.tile(vector, (len(keras.tree.flatten(inputs)[0]), 1))
    model.network._clear_losses()
    named = batches.network_inputs(model.network, inputs, ops.convert_to_tensor(rows))
    outputs = model.network(named, training=False)
    names = additional_losses.names_of_own(model.network)
    added = additional_losses.named(model.network.losses, names)
    terms = _terms(model, batch, vector, outputs, added)
    return {name: ops.mean(term) for name, term in terms.items()}


def _terms(model, batch, vector, outputs, added):
    """The unweighted terms {name: [B]} of what a network returned and its losses."""
    inputs, targets, sample_weight = batch
    size = len(keras.tree.flatten(inputs)[0])
    if model.objective.function:
        rows = ops.convert_to_tensor(np.tile(vector, (size, 1)))
        terms = model.objective.function(inputs, outputs, rows)
    else:
        compiled = model._compile_loss
        found = compiled.terms(targets, outputs, sample_weight) if compiled else {}
        terms = {name: term.rows_or_mean(size) for name, term in found.items()}
    own = {}
    for name, loss in added:
        if name in model.coefficients.names and name not in terms:
            # A layer may add several losses, and many layers have a regulariser.
            own[name] = own.get(name, 0.0) + additional_losses.rows(loss, size)
    return {**terms, **own}


def _three(batch):
    return keras.utils.unpack_x_y_sample_weight(batch)


def _tensors(part):
    return keras.tree.map_structure(
        lambda leaf: None if leaf is None else ops.convert_to_tensor(leaf), part
    )


def _is_arrays(inputs):
    leaves = keras.tree.flatten(inputs)
    return all(hasattr(leaf, "shape") for leaf in leaves)
