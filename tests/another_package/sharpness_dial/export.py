"""What there is to export of an upscaler."""

from yoto_tf.export.exportable import Endpoint, Tensor, coefficient_vector
from yoto_tf.export.families.released import describe_release


def describe(upscaler):
    def upscale(inputs, training=False):
        return {"image": upscaler.model(inputs, training=training)}

    endpoint = Endpoint(
        upscaler.coefficients,
        upscale,
        {
            "image": Tensor("float32", ("B", "H", "W", 3)),
            "coefficients": coefficient_vector(upscaler.coefficients),
        },
        {"image": Tensor("float32", ("B", "2H", "2W", 3))},
    )
    return describe_release(upscaler, endpoint, {}, {"upscale": endpoint}, "upscale")
