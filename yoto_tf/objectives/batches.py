"""What a user hands to `fit`, `evaluate` and `predict_at`: checked, and by name."""

import inspect
import re

import keras
import numpy as np

from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.objectives.additional_losses import nameable

# What Keras calls an input without a name, for which any key will do.
_AUTOMATIC = re.compile(r"(keras_tensor|input_layer|input)(_?\d+)?")
ONE_DICT = (
    "batches must be one dict: put targets beside the inputs instead of passing (x, y)"
)
UNSEEN_WEIGHTS = (
    "sample_weight is lost where there is no y: pass (x, y, sample_weight) with "
    "compile(loss=...), or put the weights into the batch and multiply the loss terms"
)


def network_inputs(network, inputs, coefficients):
    """The inputs of a network by name, of a batch x and coefficients [B, K].

    Args:
        network: its input is a dict with "coefficients".
        inputs: a dict, which may hold more than the network needs; or the inputs
            without the coefficients, a tensor or a list of tensors.

    Raises:
        ValueError: an input is missing.
    """
    names = input_names(network)
    if names is None:
        given = inputs if isinstance(inputs, dict) else {"x": inputs}
        return {**given, "coefficients": coefficients}
    others = [name for name in names if name != "coefficients"]
    if not isinstance(inputs, dict):
        tensors = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if len(tensors) != len(others):
            raise ValueError(
                f"the network needs inputs {others}; got {len(tensors)} without names"
            )
        inputs = dict(zip(others, tensors, strict=True))
    given = {**inputs, "coefficients": coefficients}
    rest = [name for name in inputs if name != "coefficients"]
    if len(others) == len(rest) == 1 and _AUTOMATIC.fullmatch(others[0]):
        given[others[0]] = inputs[rest[0]]
    missing = set(names) - set(given)
    if missing:
        raise ValueError(f"the network needs inputs {names}; missing {sorted(missing)}")
    return {name: given[name] for name in names}


def input_names(network):
    """The names of a functional model's inputs, in their order; None for another."""
    tensors = getattr(network, "inputs", None)
    if not tensors:
        return None
    if isinstance(network.input, dict):
        return list(network.input)
    return [tensor.name for tensor in tensors]


def check_network(model):
    """Raises CoefficientError where drawn coefficients would not reach the network."""
    names = input_names(model.network) or ["coefficients"]
    low, high = zip(*model.coefficients.ranges().values(), strict=True)
    is_drawn = low != high and model.fixed_vector is None
    if is_drawn and "coefficients" not in names:
        raise CoefficientError(
            "the network has no input 'coefficients', so that it cannot follow them: "
            "make it with yoto_tf.condition(network, coefficients)"
        )


def batch_size_of(inputs):
    """The length of the first axis, a number or a scalar tensor."""
    return keras.ops.shape(keras.tree.flatten(inputs)[0])[0]


def given_coefficients(inputs):
    """The coefficients that a batch brings with it, or None."""
    return inputs.get("coefficients") if isinstance(inputs, dict) else None


def or_nan(coefficients, values):
    """The coefficients [B, K] of a batch, with NaN for each that is out of range.

    The network would clip such a value while the loss is weighted by it. A compiled
    step cannot raise an error, so the loss becomes NaN.
    """
    ranges = np.array(list(coefficients.ranges().values()))
    slack = 1e-5 * np.abs(ranges)
    low, high = (
        keras.ops.convert_to_tensor(end, "float32")
        for end in (ranges + slack * [-1, 1]).T
    )
    values = keras.ops.cast(values, "float32")
    inside = keras.ops.logical_and(values >= low, values <= high)
    return keras.ops.where(inside, values, float("nan"))


def check_batch(model, targets, sample_weight):
    """Raises ValueError where a batch has not the parts that its loss needs."""
    if model.objective.function is not None:
        if targets is not None or sample_weight is not None:
            raise ValueError(ONE_DICT)
    elif model.loss is not None and targets is None:
        raise ValueError(
            "compile(loss=...) needs batches (x, y); a dict that holds both needs "
            "loss_terms"
        )


def check_fit(coefficients, method, args, kwargs):
    """Refuses arguments of `fit` and `evaluate` that would be ignored or clipped.

    Raises:
        ValueError: sample weights without targets, which Keras drops.
        CoefficientError: coefficients in an array that are out of range.
    """
    given = inspect.signature(method).bind(*args, **kwargs).arguments
    validation = given.get("validation_data")
    if not isinstance(validation, (tuple, list)):
        validation = (validation,)
    x, y, weights = keras.utils.unpack_x_y_sample_weight(tuple(validation))
    for inputs, targets, sample_weight in (
        (given.get("x"), given.get("y"), given.get("sample_weight")),
        (x, y, weights),
    ):
        if targets is None and sample_weight is not None:
            raise ValueError(UNSEEN_WEIGHTS)
        if isinstance(inputs, dict) and targets is None and given.get("class_weight"):
            raise ValueError("class_weight needs the labels apart: pass (x, y)")
        brought = given_coefficients(inputs)
        if brought is not None:
            coefficients.validate(np.asarray(brought))


def check_compile(model, loss, loss_weights, metrics):
    """Refuses arguments of `compile` that would be ignored.

    Raises:
        ValueError: terms given twice; weights or metrics without a loss of `compile`.
        CoefficientError: a coefficient that weighs no output, as far as that is known.
    """
    given = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics}
    if model.objective.function is not None:
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"compile({name}=...) has no effect beside loss_terms: leave out "
                    "one of them"
                )
        return
    if loss is None and loss_weights is not None:
        raise ValueError("compile(loss_weights=...) needs loss=... to weigh")
    outputs = _outputs_with_loss(model.network, loss)
    if outputs is None:
        return
    without = set(_output_names(model.network)) - set(outputs)
    layers = nameable(model.network) - without
    known = {*outputs, *model.without_term, *layers}
    missing = [name for name in model.coefficients.names if name not in known]
    if missing:
        raise CoefficientError(
            f"coefficient {missing[0]!r} weighs no loss: expected the name of an "
            f"output, one of {', '.join(outputs) or 'none'}; of a layer that calls "
            "add_loss; 'regularizers'; or to be one of without_term"
        )


def complete(loss, loss_weights):
    """`loss_weights` by name with 1 for the losses that it leaves out.

    Raises:
        ValueError: a weight of no loss.
    """
    if not (isinstance(loss, dict) and isinstance(loss_weights, dict)):
        return loss_weights
    unknown = sorted(set(loss_weights) - set(loss))
    if unknown:
        raise ValueError(
            f"compile(loss_weights=...) weighs {unknown[0]!r}, which has no loss; "
            f"expected {', '.join(loss)}"
        )
    return {name: loss_weights.get(name, 1.0) for name in loss}


def _outputs_with_loss(network, loss):
    """The names of a functional network's outputs with a loss; None for another."""
    names = _output_names(network)
    if names is None:
        return None
    if isinstance(loss, dict):
        return [name for name in names if loss.get(name) is not None]
    if isinstance(loss, (list, tuple)) and len(loss) == len(names):
        return [name for name, one in zip(names, loss, strict=True) if one is not None]
    return [] if loss is None else names


def _output_names(network):
    names = getattr(network, "output_names", None)
    if names is not None and isinstance(network.output, dict):
        return list(network.output)
    return names


def finite(data):
    """Iterates over the batches of a data set that has an end.

    Raises:
        DataError: it has no end.
    """
    if hasattr(data, "element_spec"):
        endless = int(data.cardinality()) == -1
    else:
        endless = isinstance(data, keras.utils.PyDataset) and data.num_batches is None
    if endless:
        raise DataError("expected data that ends, got batches without an end")
    if isinstance(data, keras.utils.PyDataset):
        return (data[index] for index in range(data.num_batches))
    return data
