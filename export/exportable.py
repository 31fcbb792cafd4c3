"""What is exported of a model, whatever the format.

All tensors go in and out by name. Coefficients are raw: logarithms are taken in the
graph. A client may send values that it has not checked, and a server must not fail on
them: the graph clips coefficients to the trained range and pixels to [0, 1]. A
coefficient that is NaN becomes the low end of its range, a pixel that is NaN black.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from keras import ops

from yoto_tf.coefficients import Coefficients

# The first size of a vector that is given once for the batch, [K] or [1, K], or for
# every example, [B, K].
ANY_BATCH = "..."
COEFFICIENTS = "coefficients"


@dataclasses.dataclass(frozen=True)
class Tensor:
    """The type and shape of a tensor.

    Attributes:
        dtype: name of a dtype.
        shape: tuple of integers and, for sizes that the caller chooses, names.
    """

    dtype: str
    shape: tuple

    @property
    def any_batch(self):
        return self.shape[:1] == (ANY_BATCH,)


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A function of a dict of tensors to a dict of tensors.

    Attributes:
        coefficients: the `yoto_tf.Coefficients` of its input `"coefficients"`, if it
            has one.
        function: gets that input as [B, K] within the trained range, and others of any
            batch as [B, ...].
        inputs: {name: `Tensor`}.
        outputs: likewise; None for a part of a model, which only its inputs describe.
    """

    coefficients: Coefficients
    function: Callable
    inputs: dict
    outputs: dict | None = None

    def __call__(self, inputs, **options):
        """Answers a request; for code that traces it into a graph."""
        batches = [
            ops.shape(inputs[name])[0]
            for name, tensor in self.inputs.items()
            if not tensor.any_batch
        ]
        ready = dict(inputs)
        for name, tensor in self.inputs.items():
            if tensor.any_batch:
                rows = ops.reshape(inputs[name], (-1, *tensor.shape[1:]))
                if batches:
                    rows = ops.broadcast_to(rows, (batches[0], *tensor.shape[1:]))
                ready[name] = rows
        if COEFFICIENTS in self.inputs:
            ready[COEFFICIENTS] = within_range(ready[COEFFICIENTS], self.coefficients)
        return self.function(ready, **options)


@dataclasses.dataclass(frozen=True)
class Part:
    """A network, or a part of one that can be used by itself.

    Attributes:
        endpoint: whose function also takes `training`.
        variables: the Keras variables that it reads.
    """

    endpoint: Endpoint
    variables: list


@dataclasses.dataclass(frozen=True)
class Exportable:
    """A model to export.

    Attributes:
        name: of the model.
        family: of the zoo, or "your_own".
        id: hexadecimal, of the weights.
        card: Markdown.
        network: the `Part` that is all of it.
        parts: {name: `Part`}.
        endpoints: {name: `Endpoint`}, what is asked of a server.
        default: the name of one of them; None where a format has no such thing.
        write_keras: function of a folder that writes there what the Keras model can
            be loaded from.
        styles: names, of style transfer only.
        smallest_side: pixels, of the pictures that it takes.
        on_devices: names of the endpoints that are exported for devices; None for all.
        endpoints_with_tfc_ops: endpoints that need TensorFlow Compression's ops.
    """

    name: str
    family: str
    id: str
    card: str
    network: Part
    parts: dict
    endpoints: dict
    default: str | None
    write_keras: Callable
    styles: tuple = ()
    smallest_side: int = 1
    on_devices: tuple | None = None
    endpoints_with_tfc_ops: dict = dataclasses.field(default_factory=dict)

    @property
    def coefficients(self):
        return self.network.endpoint.coefficients

    @property
    def signatures(self):
        """The endpoints, and the default one under the name that servers give it."""
        if self.default is None:
            return self.endpoints
        return {**self.endpoints, "serving_default": self.endpoints[self.default]}


def coefficient_vector(coefficients):
    """The `Tensor` of an input `"coefficients"`."""
    return Tensor("float32", (ANY_BATCH, len(coefficients)))


def pixels(image):
    """A picture of a request, clipped to [0, 1]; NaN becomes black."""
    return ops.clip(ops.where(ops.isnan(image), 0.0, image), 0.0, 1.0)


def within_range(values, coefficients):
    """Raw coefficients [B, K], clipped to their ranges; NaN becomes the low end."""
    low, high = np.array(list(coefficients.ranges().values()), "float32").T
    values = ops.where(ops.isnan(values), low, values)
    return ops.clip(values, low, high)
