"""The β-VAE: pictures from pictures, from latents and from noise."""

import functools

from keras import ops

from yoto_tf.export.exportable import (
    Endpoint,
    Exportable,
    Part,
    Tensor,
    coefficient_vector,
    pixels,
)
from yoto_tf.export.families.released import describe_release


def describe(vae) -> Exportable:
    """The `Exportable` of a `yoto_tf.zoo.vae.VAE`."""
    network = vae.model
    endpoint = functools.partial(Endpoint, vae.coefficients)
    vector = {"coefficients": coefficient_vector(vae.coefficients)}
    image = {"image": Tensor("float32", ("B", *network.image_shape))}
    latents = Tensor("float32", ("B", network.latents))
    posterior = {"mean": latents, "stddev": latents}

    def encode(inputs, training=False):
        embedding = network.embedding(inputs["coefficients"])
        mean, deviation = network.encode(inputs["image"], embedding)
        return {"mean": mean, "stddev": deviation}

    def likelihood(inputs, training=False):
        embedding = network.embedding(inputs["coefficients"])
        return network.decode(inputs["latents"], embedding)

    def decode(inputs):
        picture = likelihood(inputs)["reconstruction"]
        return {"image": ops.clip(picture, 0.0, 1.0)}

    def sample(inputs):
        return decode({**inputs, "latents": inputs["noise"]})

    def encode_pixels(inputs):
        return encode({**inputs, "image": pixels(inputs["image"])})

    def reconstruct(inputs):
        return decode({**inputs, "latents": encode_pixels(inputs)["mean"]})

    return describe_release(
        vae,
        endpoint(network, {**image, **vector}),
        parts={
            "encoder": Part(
                endpoint(encode, {**image, **vector}),
                network.embedding.variables + network.encoder.variables,
            ),
            "decoder": Part(
                endpoint(likelihood, {"latents": latents, **vector}),
                network.embedding.variables + network.decoder.variables,
            ),
        },
        endpoints={
            "reconstruct": endpoint(reconstruct, {**image, **vector}, image),
            "sample": endpoint(sample, {"noise": latents, **vector}, image),
            "encode": endpoint(encode_pixels, {**image, **vector}, posterior),
            "decode": endpoint(decode, {"latents": latents, **vector}, image),
        },
        default="reconstruct",
    )
