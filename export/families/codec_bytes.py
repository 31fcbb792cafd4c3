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
from yoto_tf.export.families.exact_scales import levels, next_indexes

_IMAGE = Tensor("float32", ("B", "H", "W", 3))
_ZEROS = 4096


def byte_endpoints(codec):
    """{name: Endpoint}, empty where the ops cannot be loaded."""
    if load_tfc_ops() is None:
        return {}
    graphs, coding = codec.graphs, codec.coding
    vector = coefficient_vector(codec.coefficients)
    sections = {code.section: Tensor("string", ("B",)) for code in coding.codes}

    def compress(inputs):
        level = levels(coding, inputs["coefficients"])
        pixels = inputs["image"] * 255.0
        arrays = graphs.analyze(pixels, inputs["coefficients"])
        parts = [
            _encode(array, next_indexes(coding, arrays[:number], array, level), tables)
            for number, (array, tables) in enumerate(
                zip(arrays, coding.code_tables, strict=True)
            )
        ]
        return dict(zip(sections, parts, strict=True))

    def decompress(inputs):
        level = levels(coding, inputs["coefficients"])
        height, width = ops.unstack(inputs["size"][0], 2)
        multiple, channels = coding.codes[0].side, coding.channels[0]
        shape = (1, -(-height // multiple), -(-width // multiple), channels)
        like = ops.zeros(shape, "int32")
        arrays = []
        for section, tables in zip(sections, coding.code_tables, strict=True):
            indexes = next_indexes(coding, arrays, like, level)
            arrays.append(_decode(inputs[section], indexes, tables))
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


def _encode(symbols, indexes, tables):
    """Integers [1, ...] to a string [1]."""
    tfc = load_tfc_ops()
    indexes = ops.reshape(indexes, (-1,))
    offsets = ops.take(tables.offsets, indexes)
    symbols = ops.reshape(symbols, (-1,)) - offsets
    handle = tfc.create_range_encoder([], tables.lookup)
    handle = tfc.entropy_encode_index(handle, indexes, symbols)
    return tfc.entropy_encode_finalize(handle)[None]


def _decode(data, indexes, tables):
    """A string [1] to integers of the shape of the indexes, [1, ...]."""
    tfc = load_tfc_ops()
    shape = ops.shape(indexes)
    indexes = ops.reshape(indexes, (-1,))
    data = _with_an_end(data[0], indexes, tables.precision)
    handle = tfc.create_range_decoder(data, tables.lookup)
    _, symbols = tfc.entropy_decode_index(handle, indexes, ops.shape(indexes), "int32")
    return ops.reshape(symbols + ops.take(tables.offsets, indexes), shape)


def _with_an_end(data, indexes, precision):
    """The data and an end at which the decoder stops, as `yoto_tf.entropy` does.

    Intact data may leave out zeros at its end, which are added here. On forged data the
    op would go on counting the zeros of an escaped number for ever: random digits,
    which no forger can foresee, end them.
    """
    import tensorflow as tf

    needed = precision * tf.size(indexes, "int64") // 8
    zeros = tf.fill([needed // _ZEROS + 2], tf.constant(bytes(_ZEROS)))
    numbers = tf.random.uniform([8], 0, 2**31 - 1, "int32")
    end = tf.strings.reduce_join(tf.strings.as_string(numbers))
    return tf.strings.join([data, tf.strings.reduce_join(zeros), end])
