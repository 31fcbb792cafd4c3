"""The stylizer: one network, one endpoint."""

import functools

from yoto_tf.export.exportable import (
    ANY_BATCH,
    Endpoint,
    Exportable,
    Tensor,
    coefficient_vector,
    pixels,
)
from yoto_tf.export.families.released import describe_release
from yoto_tf.zoo.stylization.network.style_network import MINIMUM

_IMAGE = Tensor("float32", ("B", "H", "W", 3))


def describe(stylizer) -> Exportable:
    """The `Exportable` of a `yoto_tf.zoo.stylization.Stylizer`."""
    network = stylizer.model
    endpoint = functools.partial(
        Endpoint,
        stylizer.coefficients,
        inputs={
            "image": _IMAGE,
            "style": Tensor("float32", (ANY_BATCH, len(stylizer.styles))),
            "coefficients": coefficient_vector(stylizer.coefficients),
        },
        outputs={"image": _IMAGE},
    )

    def whole(inputs, training=False):
        return {"image": network(inputs, training=training)}

    def stylize(inputs):
        return whole({**inputs, "image": pixels(inputs["image"])})

    return describe_release(
        stylizer,
        endpoint(whole),
        parts={},
        endpoints={"stylize": endpoint(stylize)},
        default="stylize",
        styles=stylizer.styles,
        smallest_side=MINIMUM,
    )
