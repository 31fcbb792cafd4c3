"""The stylizer: pictures by the name of a style or by its painting."""

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
from yoto_tf.zoo.stylization.network.style_network import MINIMUM, STYLE_SIZE

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

    endpoints = {"stylize": endpoint(stylize)}
    if network.style_encoder is not None:
        endpoints |= _for_paintings(stylizer, endpoint, stylize)
    return describe_release(
        stylizer,
        endpoint(whole),
        parts={},
        endpoints=endpoints,
        default="stylize",
        styles=stylizer.styles,
        smallest_side=MINIMUM,
    )


def _for_paintings(stylizer, endpoint, stylize):
    """A painting to the vector of its style, and that and a picture to a picture."""
    network = stylizer.model
    vector = {"style_vector": Tensor("float32", (ANY_BATCH, network.table.vector_size))}

    def predict_style(inputs):
        return {"style_vector": network.predict_style(pixels(inputs["painting"]))}

    def stylize_as(inputs):
        return stylize({**inputs, "style": inputs["style_vector"]})

    return {
        "predict_style": Endpoint(
            stylizer.coefficients,
            predict_style,
            {"painting": Tensor("float32", ("B", STYLE_SIZE, STYLE_SIZE, 3))},
            {"style_vector": Tensor("float32", ("B", network.table.vector_size))},
        ),
        "stylize_as": endpoint(
            stylize_as,
            inputs={
                "image": _IMAGE,
                **vector,
                "coefficients": coefficient_vector(stylizer.coefficients),
            },
        ),
    }
