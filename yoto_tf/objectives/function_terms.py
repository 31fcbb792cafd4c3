"""Loss terms that a function of the batch and the outputs computes."""

import collections.abc
import inspect

import keras
from keras import ops


class FunctionTerms:
    """Calls `loss_terms(inputs, outputs[, coefficients])` and checks what it returns.

    Args:
        function: of the batch, a dict; of what the network returns for it, cast to
            float32 under a mixed policy; and, where it takes a third argument, of the
            coefficients, {name: float32 [B]}. Returns {name: tensor [B]}.
        names: of the coefficients.
        one_vector: whether a batch has one vector, which lets a term be one number.

    Attributes:
        read: the names of the coefficients that the function has asked for.
    """

    def __init__(self, function, names, one_vector=False):
        self.function = function
        self.names = names
        self.one_vector = one_vector
        self.read = set()
        self._takes_coefficients = _takes_three(function)

    def __call__(self, inputs, outputs, coefficients):
        """{name: float32 [B]}, for coefficients [B, K].

        Raises:
            ValueError: a term that is not one value an example.
        """
        outputs = keras.tree.map_structure(_float32, outputs)
        extra = ()
        if self._takes_coefficients:
            extra = (_Read(self.names, ops.cast(coefficients, "float32"), self.read),)
        terms = self.function(inputs, outputs, *extra)
        size = ops.shape(coefficients)[0]
        return {name: self._checked(name, term, size) for name, term in terms.items()}

    def _checked(self, name, term, batch_size):
        term = ops.cast(term, "float32")
        if self.one_vector and len(term.shape) == 0:
            return ops.broadcast_to(term, (batch_size,))
        if len(term.shape) != 1 or (
            isinstance(batch_size, int) and term.shape[0] not in (None, batch_size)
        ):
            raise ValueError(
                f"loss term {name!r} must have shape [batch], "
                f"got shape={tuple(term.shape)}"
            )
        return term


class _Read(collections.abc.Mapping):
    """The columns of coefficients by name; `read` gets the names asked for."""

    def __init__(self, names, coefficients, read):
        self._columns = {name: coefficients[:, i] for i, name in enumerate(names)}
        self._read = read

    def __getitem__(self, name):
        column = self._columns[name]
        self._read.add(name)
        return column

    def __iter__(self):
        return iter(self._columns)

    def __len__(self):
        return len(self._columns)


def _takes_three(function):
    """Whether a function has a third argument that is meant for the coefficients."""
    parameters = list(inspect.signature(function).parameters.values())
    return len(parameters) > 2 and (
        parameters[2].name == "coefficients"
        or (
            parameters[2].default is inspect.Parameter.empty
            and parameters[2].kind in _POSITIONAL
        )
    )


_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


def _float32(tensor):
    is_float = keras.backend.is_float_dtype(tensor.dtype)
    return ops.cast(tensor, "float32") if is_float else tensor
