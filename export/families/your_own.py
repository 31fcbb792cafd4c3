"""Any other network that takes coefficients: one endpoint returns all its outputs."""

import dataclasses
import functools
import hashlib

import keras
from keras import ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.errors import RecipeError
from yoto_tf.export.exportable import (
    COEFFICIENTS,
    Endpoint,
    Exportable,
    Part,
    Tensor,
    coefficient_vector,
)
from yoto_tf.modulation import as_functional, is_graph

# Names for the sizes that a caller chooses, by the rank of the tensor.
_IMAGE_AXES = ("B", "H", "W", "C")


@dataclasses.dataclass(frozen=True, eq=False)
class ConditionedNetwork:
    """A Keras network and the coefficients that it takes."""

    network: keras.Model
    coefficients: Coefficients


def describe(model) -> Exportable:
    """The `Exportable` of a `LossConditionalModel` or a `ConditionedNetwork`.

    Of the former only the network is exported: losses and optimiser stay behind.

    Raises:
        RecipeError: a network that does not take one dict with `"coefficients"`, takes
            another number of them, does not know its inputs yet, or returns nested
            structures.
    """
    network, coefficients = model.network, model.coefficients
    inputs = _inputs(network)
    if COEFFICIENTS not in inputs:
        raise RecipeError(
            f"network {network.name!r} has no input 'coefficients', only "
            f"{', '.join(inputs)}"
        )
    _check_count(network, inputs[COEFFICIENTS].shape[-1], coefficients)
    outputs = _symbolic(network, inputs)
    described = {
        name: _described(tensor.shape, tensor.dtype)
        for name, tensor in _named(outputs, network).items()
    }
    inputs[COEFFICIENTS] = coefficient_vector(coefficients)

    def call(inputs, training=False):
        return _named(network(inputs, training=training), network)

    endpoint = Endpoint(coefficients, call, inputs, described)
    return Exportable(
        name=network.name,
        family="your_own",
        id=_id(network),
        card="",
        network=Part(endpoint, network.variables),
        parts={},
        endpoints={"serving_default": endpoint},
        default="serving_default",
        write_keras=functools.partial(_write_keras, network),
    )


def _check_count(network, count, coefficients):
    if not isinstance(coefficients, Coefficients):
        raise RecipeError(
            f"expected yoto_tf.Coefficients, got {type(coefficients).__name__}"
        )
    # A subclassed model may leave the number open.
    if isinstance(count, int) and count != len(coefficients):
        raise RecipeError(
            f"network {network.name!r} takes {count} coefficients, got "
            f"{len(coefficients)}: {', '.join(coefficients.names)}"
        )


def _write_keras(network, folder):
    try:
        network.save(folder / "model.keras")
    except NotImplementedError:
        # The class has no `get_config`: only its weights can be loaded again.
        network.save_weights(folder / "model.weights.h5")


def _inputs(network):
    """{name: Tensor} of what the network takes."""
    if not isinstance(network, keras.Model):
        raise RecipeError(
            f"cannot export a {type(network).__name__} with coefficients=, expected a "
            "Keras model"
        )
    if is_graph(network) and network.built:
        tensors = as_functional(network).input
        if not isinstance(tensors, dict):
            tensors = {tensor.name: tensor for tensor in network.inputs}
        return {
            name: _described(tensor.shape, tensor.dtype)
            for name, tensor in tensors.items()
        }
    # A subclassed model remembers the shapes of its first call.
    shapes = (network.get_build_config() or {}).get("input_shape")
    if not isinstance(shapes, dict):
        raise RecipeError(
            f"the inputs of network {network.name!r} are not known: call it on a dict "
            "of tensors first"
        )
    inputs = {
        name: _described((None, *shape[1:]), "float32")
        for name, shape in shapes.items()
    }
    any_size = {
        name: Tensor(tensor.dtype, (*_IMAGE_AXES[:3], tensor.shape[3]))
        if len(tensor.shape) == 4
        else tensor
        for name, tensor in inputs.items()
    }
    try:
        _symbolic(network, any_size)
    except Exception:  # The network's code may raise anything for unknown sizes.
        return inputs
    return any_size


def _symbolic(network, inputs):
    """What the network returns for symbolic tensors of these shapes."""
    return network(
        {
            name: keras.KerasTensor(
                [size if isinstance(size, int) else None for size in tensor.shape],
                tensor.dtype,
                name=name,
            )
            for name, tensor in inputs.items()
        }
    )


def _described(shape, dtype):
    axes = _IMAGE_AXES if len(shape) == 4 else ["B", *(f"N{i}" for i in range(1, 9))]
    sizes = (axes[i] if size is None else size for i, size in enumerate(shape))
    return Tensor(keras.backend.standardize_dtype(dtype), tuple(sizes))


def _named(outputs, network):
    """Outputs as a dict; floating-point ones of any precision become float32."""
    if isinstance(outputs, (list, tuple)):
        outputs = {f"output_{i}": output for i, output in enumerate(outputs)}
    elif not isinstance(outputs, dict):
        outputs = {"output": outputs}
    if any(isinstance(output, (dict, list, tuple)) for output in outputs.values()):
        raise RecipeError(
            f"network {network.name!r} returns nested structures, expected a "
            "tensor, a list or a dict of tensors"
        )
    return {
        name: ops.cast(output, "float32")
        if keras.backend.is_float_dtype(output.dtype)
        else output
        for name, output in outputs.items()
    }


def _id(network):
    """Hexadecimal, of the weights: 8 bytes as for a release."""
    digest = hashlib.sha256()
    for weight in network.weights:
        array = ops.convert_to_numpy(weight)
        digest.update(f"{weight.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.digest()[:8].hex()
