"""In what range a coefficient is worth a dial."""

from collections.abc import Callable, Iterable

import keras
import numpy as np

from yoto_tf.coefficients import Coefficients
from yoto_tf.distributions import Fixed, LogUniform
from yoto_tf.errors import DataError, YotoError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.objectives.batches import input_names
from yoto_tf.objectives.prediction import terms_at
from yoto_tf.tradeoff.gradients import flat_norm, gradients
from yoto_tf.tradeoff.sweeps import as_batches

# A coefficient for a plain network, which has none.
_NONE = "no_coefficient"


def suggest_ranges(
    network: keras.Model,
    terms: Callable | dict,
    data: Iterable | dict | tuple,
    share: float = 0.05,
    steps: int = 16,
    batch_size: int = 32,
) -> dict[str, LogUniform]:
    """The range of each loss term's coefficient in which it matters, by gradients.

    Below `low` the term makes up less than about `share` of the gradient, above `high`
    all other terms together do, if each of these has weight 1:

        low = share · ‖∇ Σ_{j≠i} L_j‖ / ‖∇ L_i‖ ,   high = low / share²

    with geometric means of both norms over batches. One of the terms needs no
    coefficient, since only ratios of weights matter. Gradients change in training: ask
    with a network that has been trained a little, with all weights 1, rather than with
    a new one.

    Args:
        network: a plain Keras model, as it was before `condition`.
        terms: function of (inputs, outputs) to {name: tensor [B]}; or {name of an
            output: Keras loss}, as for `compile`.
        data: batches, dicts for a function and (x, y) for losses; or arrays of these.
        share: in (0, 1).
        steps: batches to look at, at most.
        batch_size: of what is cut from arrays.

    Returns:
        {name of a term: `LogUniform(low, high)`}, rounded outwards to two digits.

    Raises:
        DataError: no batch.
        YotoError: a conditioned network, fewer than two terms, a share out of range, or
            a term without a gradient.

    Example:
        >>> losses = {"seg": "mse", "depth": "mae"}
        >>> ranges = yoto_tf.suggest_ranges(network, losses, pairs)
        >>> coefficients = yoto_tf.Coefficients(depth=ranges["depth"])
    """
    if not 0 < share < 1:
        raise YotoError(f"share must be in (0, 1), got {share:g}")
    if "coefficients" in (input_names(network) or ()):
        raise YotoError(
            "suggest_ranges expects the network before it is conditioned, got one with "
            "an input 'coefficients'"
        )
    model = _model(network, terms)
    own, others = {}, {}
    batches = as_batches(model, data, batch_size)
    for batch, _ in zip(batches, range(steps), strict=False):
        found = gradients(
            network.trainable_variables,
            lambda batch=batch: terms_at(model, batch, np.ones(1, "float32")),
        )
        if len(found) < 2:
            raise YotoError(f"expected two or more terms, got {', '.join(found)}")
        for name, (_, gradient) in found.items():
            rest = [parts for other, (_, parts) in found.items() if other != name]
            summed = [sum(parts) for parts in zip(*rest, strict=True)]
            own.setdefault(name, []).append(flat_norm(gradient))
            others.setdefault(name, []).append(flat_norm(summed))
    if not own:
        raise DataError("the data has no batch (a generator lasts for one pass only)")
    return {name: _range(name, own[name], others[name], share) for name in own}


def _model(network, terms):
    names = input_names(network)
    if names is not None and not isinstance(network.input, dict):
        # Keras warns of a dict where it expects a tensor.
        inputs = dict(zip(names, network.inputs, strict=True))
        network = keras.Model(inputs, network.output, name=network.name)
    coefficients = Coefficients(**{_NONE: Fixed(1.0)})
    is_function = callable(terms)
    model = LossConditionalModel(
        network, terms if is_function else None, coefficients, without_term=[_NONE]
    )
    model.compile("sgd", loss=None if is_function else terms)
    return model


def _range(name, own, others, share):
    if min(own) <= 0 or min(others) <= 0:
        raise YotoError(
            f"term {name!r} or the others have no gradient: nothing trainable changes "
            "them"
        )
    ratio = float(np.exp(np.mean(np.log(others)) - np.mean(np.log(own))))
    return LogUniform(
        _rounded(share * ratio, np.floor), _rounded(ratio / share, np.ceil)
    )


def _rounded(value, towards):
    """To two significant digits."""
    unit = 10.0 ** (np.floor(np.log10(value)) - 1)
    return float(f"{towards(np.round(value / unit, 4)) * unit:.2g}")
