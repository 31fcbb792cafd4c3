"""What gRPC and REST have in common: whom they ask, and what they learn of it."""

import dataclasses

from yoto_tf.errors import YotoError

# Servers list an entry of the loader among the signatures, which nobody can ask for.
LOADERS_OWN = "__saved_model"


class ServingError(YotoError):
    """A model server that is out of reach, refuses, is too slow or makes no sense."""


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


def unreachable(address, reason):
    """The error for a server that does not answer at all."""
    return Unreachable(f"no model server answers at {address} ({_one_line(reason)})")


def too_slow(address, timeout):
    """The error for a server that does not answer in time."""
    return ServingError(f"{address} did not answer within {timeout:g} s")


def refused(address, reason):
    """The error for a server that answers that it will not."""
    return ServingError(f"{address} refused the request: {_one_line(reason)}")


def malformed(address, reason):
    """The error for an answer that is not what the server says it answers."""
    return ServingError(f"{address} answers with what cannot be: {_one_line(reason)}")


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
