"""The codec to and from bytes inside a graph, with TensorFlow Compression's ops.

    compress    image ─► the sections of a `.yoto` file's payload
    decompress  sections and size ─► image

The caller writes the file around them, see `yoto_tf.zoo.codec.coding.container`, and
checks its checksum: here damaged bytes decode to some picture, and take no longer than
intact ones.
"""

import functools

from keras import ops

from yoto_tf.entropy.tfc_ops import load_tfc_ops
from yoto_tf.export.exportable import (
    ANY_BATCH,
    Endpoint,
    Tensor,
    coefficient_vector,
)
from yoto_tf.export.families.context_bytes import decode_symbols, encode_symbols
from yoto_tf.export.families.exact_context import ContextGraph
from yoto_tf.export.families.exact_scales import levels, next_indexes
from yoto_tf.export.families.tfc_coding import decode, encode, range_decoder
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding

_IMAGE = Tensor("float32", ("B", "H", "W", 3))


def byte_endpoints(codec):
    """{name: Endpoint}, empty where the ops cannot be loaded."""
    if load_tfc_ops() is None:
        return {}
    graphs, coding = codec.graphs, codec.coding
    has_context = isinstance(coding, ContextSymbolCoding)
    vector = coefficient_vector(codec.coefficients)
    sections = {code.section: Tensor("string", ("B",)) for code in coding.codes}

    def compress(inputs):
        level = levels(coding, inputs["coefficients"])
        pixels = inputs["image"] * 255.0
        arrays = graphs.analyze(pixels, inputs["coefficients"])
        parts = []
        for number, array in enumerate(arrays):
            before, tables = arrays[:number], coding.code_tables[number]
            indexes = next_indexes(coding, before, array, level)
            write = encode_symbols if number and has_context else encode
            parts.append(write(array, indexes, tables)[None])
        return dict(zip(sections, parts, strict=True))

    def decompress(inputs):
        level = levels(coding, inputs["coefficients"])
        height, width = ops.unstack(inputs["size"][0], 2)
        multiple = coding.codes[0].side
        blocks = -(-height // multiple), -(-width // multiple)
        arrays = []
        for code, channels, tables in zip(
            coding.codes, coding.channels, coding.code_tables, strict=True
        ):
            scale, data = multiple // code.side, inputs[code.section][0]
            like = ops.zeros((1, *(scale * side for side in blocks), channels), "int32")
            if arrays and has_context:
                graph = ContextGraph(coding.context, *arrays, level)
                array = decode_symbols(data, graph, like, tables)
            else:
                indexes = next_indexes(coding, arrays, like, level)
                handle = range_decoder(data, ops.size(indexes), tables)
                _, array = decode(handle, indexes, tables)
            arrays.append(array)
        image = graphs.synthesize(*arrays, inputs["coefficients"])
        return {"image": ops.clip(image, 0.0, 1.0)[:, :height, :width]}

    endpoint = functools.partial(Endpoint, codec.coefficients)
    size = Tensor("int32", (ANY_BATCH, 2))
    return {
        "compress": endpoint(
            functools.partial(_one_by_one, compress, dict.fromkeys(sections, "string")),
            {"image": _IMAGE, "coefficients": vector},
            sections,
        ),
        "decompress": endpoint(
            functools.partial(_one_by_one, decompress, {"image": "float32"}),
            {**sections, "size": size, "coefficients": vector},
            {"image": _IMAGE},
        ),
    }


def _one_by_one(function, dtypes, inputs):
    """Applies a function of a batch to each example by itself.

    `Codec` runs its networks on batches of one, in which they round differently.
    """
    import tensorflow as tf

    def one(example):
        batch = {name: tensor[None] for name, tensor in example.items()}
        return {name: tensor[0] for name, tensor in function(batch).items()}

    return tf.map_fn(one, inputs, fn_output_signature=dtypes)
