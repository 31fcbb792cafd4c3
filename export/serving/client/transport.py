"""What gRPC and REST have in common: the model they ask for, and what it can answer."""

import dataclasses

from yoto_tf.errors import YotoError

# Servers list `__saved_model_init_op` among the signatures, which loads the model and
# cannot be asked for.
_INTERNAL = "__saved_model"


class ServingError(YotoError):
    """A model server is out of reach, refuses, is too slow or sends nonsense."""


class Unreachable(ServingError):
    """No server answers at an address."""


@dataclasses.dataclass(frozen=True)
class Servable:
    """A model on a server.

    Attributes:
        name: as in the server's models.config.
        version: None for the server's choice, which is the latest; or a number.
        label: None, or a label that the server's models.config gives to a version.
    """

    name: str
    version: int | None = None
    label: str | None = None

    def __post_init__(self):
        if self.version is not None and self.label is not None:
            raise ServingError("give a version or a label, not both")

    def __str__(self):
        if self.label is not None:
            return f"model {self.name!r}, label {self.label!r}"
        if self.version is not None:
            return f"model {self.name!r}, version {self.version}"
        return f"model {self.name!r}"


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """What a signature says of a tensor.

    Attributes:
        dtype: "float32", "int32", "int64", "uint8", "bool" or "bytes".
        shape: sizes, None where any will do; or None for any shape.
    """

    dtype: str
    shape: tuple[int | None, ...] | None


@dataclasses.dataclass(frozen=True)
class Signature:
    """Names of what goes into a served function and comes out.

    Attributes:
        inputs: {name: TensorSpec}.
        outputs: likewise.
    """

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]


class Transport:
    """A way to one model on a server, and the errors of one that does not work.

    Args:
        address: where the server is, as the user gave it.
        servable: a `Servable`.
        timeout: seconds until a request is given up.
    """

    def __init__(self, address, servable, timeout):
        self._address = address
        self._servable = servable
        self._timeout = timeout

    @staticmethod
    def _served(signatures):
        """(name, signature) of those among {name: signature} that can be asked for."""
        for name, signature in signatures.items():
            if not name.startswith(_INTERNAL):
                yield name, signature

    def _unreachable(self, reason):
        reason = _one_line(reason)
        return Unreachable(f"no model server answers at {self._address} ({reason})")

    def _too_slow(self):
        return ServingError(
            f"{self._address} did not answer within {self._timeout:g} s"
        )

    def _not_served(self):
        return ServingError(f"{self._address} serves no {self._servable}")

    def _too_large(self, reason=""):
        """The error for a server that has no room for the request."""
        reason = reason and f": {_one_line(reason)}"
        return ServingError(f"too large a picture or batch for {self._address}{reason}")

    def _refused(self, reason):
        return ServingError(f"{self._address} refused the request: {_one_line(reason)}")

    def _malformed(self, reason):
        """The error for an answer that does not follow the server's own protocol."""
        return ServingError(
            f"{self._address} sent a malformed answer: {_one_line(reason)}"
        )


def check_fits(name, array, spec):
    """Compares an output with the signature that has it.

    Raises:
        ServingError: another type or shape.
    """
    shape = spec.shape
    fits = shape is None or (
        array.ndim == len(shape)
        and all(
            size in (None, own) for size, own in zip(shape, array.shape, strict=True)
        )
    )
    dtype = "bytes" if array.dtype == object else array.dtype.name
    if not fits or dtype != spec.dtype:
        raise ServingError(
            f"the server answers with {name} as {dtype} {list(array.shape)}, its "
            f"signature says {spec.dtype} {'?' if shape is None else list(shape)}"
        )


def check_shape(name, array, shape):
    """Compares an output with what the request was for.

    Raises:
        ServingError: another shape.
    """
    if array.shape != tuple(shape):
        raise ServingError(
            f"the server answers with {name} {list(array.shape)}, expected "
            f"{list(shape)}"
        )


def _one_line(text, most=300):
    text = " ".join(str(text).split())
    return text if len(text) <= most else f"{text[:most]}…"
