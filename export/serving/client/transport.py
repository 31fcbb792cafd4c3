"""What gRPC and REST have in common: whom they ask, and what they learn of it."""

import dataclasses

from yoto_tf.errors import YotoError

# Servers list an entry of the loader among the signatures, which nobody can ask for.
LOADERS_OWN = "__saved_model"


class ServingError(YotoError):
    """A model server that cannot be reached, refuses a request or is too slow."""


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


def _one_line(text, most=300):
    text = " ".join(str(text).split())
    return text if len(text) <= most else f"{text[:most]}…"
