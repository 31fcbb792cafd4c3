"""The codec's two networks; the range coder between them runs at the client.

    analyze      image ─► symbols, and the number of the table of each
    scales       what is decoded so far ─► numbers of tables, see `codec_tables`
    synthesize   symbols ─► image, with the padding that the coder's client cuts off
    reconstruct  image ─► image and the bits between them

A client codes `hyper_latents` under `hyper_indexes`, then `symbols` under `indexes`,
in passes where there is a context, with the tables in the release. Tables are chosen in
exact integer arithmetic, so that files written with the help of a server decode on any
other machine.
"""

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
from yoto_tf.export.families.codec_bytes import byte_endpoints
from yoto_tf.export.families.codec_tables import table_endpoints
from yoto_tf.export.families.exact_scales import levels, next_indexes
from yoto_tf.export.families.released import describe_release
from yoto_tf.zoo.codec.network.padding import pad_to_multiple

_IMAGE = Tensor("float32", ("B", "H", "W", 3))


def describe(codec) -> Exportable:
    """The `Exportable` of a `yoto_tf.zoo.codec.Codec`."""
    network, graphs, coding = codec.model, codec.graphs, codec.coding
    endpoint = functools.partial(Endpoint, codec.coefficients)
    vector = coefficient_vector(codec.coefficients)
    pictures = {"image": _IMAGE, "coefficients": vector}
    latents = Tensor("float32", ("B", "h", "w", network.filters[-1]))
    padded = Tensor("float32", ("B", "16h", "16w", 3))

    def analysis(inputs, training=False):
        embedding = network.embedding(inputs["coefficients"])
        image = pad_to_multiple(inputs["image"], network.multiple)
        latents = network.analyze(image, embedding)
        return {"latents": network.scale(latents, embedding)}

    def synthesis(inputs, training=False):
        embedding = network.embedding(inputs["coefficients"])
        return {"image": network.synthesize(inputs["latents"], embedding)}

    def reconstruct(inputs):
        inputs = {**inputs, "image": pixels(inputs["image"])}
        outputs = network(inputs, training=False)
        image = ops.clip(outputs["reconstruction"], 0.0, 1.0)
        return {"image": image, "bits": outputs["bits"]}

    integers, indexes = {}, {}
    for code, channels in zip(coding.codes, coding.channels, strict=True):
        tensor = Tensor("int32", ("B", *_sizes(code.side), channels))
        integers[code.name] = indexes[code.indexes] = tensor

    def analyze(inputs):
        # The coding takes pixels of 8 bits.
        image = pixels(inputs["image"]) * 255.0
        arrays = graphs.analyze(image, inputs["coefficients"])
        level = levels(coding, inputs["coefficients"])
        tables = [
            next_indexes(coding, arrays[:number], array, level)
            for number, array in enumerate(arrays)
        ]
        answer = dict(zip(integers, arrays, strict=True))
        return {**answer, **dict(zip(indexes, tables, strict=True))}

    def synthesize(inputs):
        arrays = (inputs[name] for name in integers)
        image = graphs.synthesize(*arrays, inputs["coefficients"])
        return {"image": ops.clip(image, 0.0, 1.0)}

    endpoints = {
        "analyze": endpoint(analyze, pictures, {**integers, **indexes}),
        "synthesize": endpoint(
            synthesize, {**integers, "coefficients": vector}, {"image": padded}
        ),
        "reconstruct": endpoint(
            reconstruct,
            pictures,
            {"image": _IMAGE, "bits": Tensor("float32", ("B",))},
        ),
        **table_endpoints(codec, integers),
    }
    parts = {
        "analysis": Part(
            endpoint(analysis, pictures),
            _variables(network.embedding, network.analysis, network.log_gain),
        ),
        "synthesis": Part(
            endpoint(synthesis, {"latents": latents, "coefficients": vector}),
            _variables(
                network.embedding,
                network.synthesis,
                network.log_gain,
                network.log_inverse_gain,
            ),
        ),
    }
    return describe_release(
        codec,
        endpoint(network, pictures),
        parts,
        endpoints,
        "reconstruct",
        # Bits come from an error function, which LiteRT does not have.
        on_devices=tuple(name for name in endpoints if name != "reconstruct"),
        endpoints_with_tfc_ops=byte_endpoints(codec),
    )


def _sizes(side):
    """Names of the sizes of integers that cover so many pixels; h is the latents'."""
    return ("h", "w") if side == 16 else (f"h/{side // 16}", f"w/{side // 16}")


def _variables(*layers):
    return [variable for layer in layers for variable in layer.variables]
