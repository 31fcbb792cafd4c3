"""What a codec's decoder asks for the tables of its symbols, without a network.

    scales       hyper-latents ─► tables of all symbols
    scales_N     hyper-latents and the symbols of passes before N ─► tables of pass N

The first is a hyperprior's; a codec with a context has the others, for N from 0 to 3.
Symbols stand in their places in [B, h, w, C], where what later passes code does not
matter; the tables of a pass are [B, h, w, C/4], at each position those of the group of
channels that it codes, see `yoto_tf.zoo.codec.coding.quadtree`.
"""

import dataclasses
import functools

from yoto_tf.export.exportable import Endpoint, coefficient_vector
from yoto_tf.export.families.exact_context import pass_indexes
from yoto_tf.export.families.exact_scales import levels, next_indexes
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.quadtree import GROUPS, PASSES


def table_endpoints(codec, integers):
    """{name: `Endpoint`}, empty where one code describes a picture.

    Args:
        codec: a `yoto_tf.zoo.codec.Codec`.
        integers: {name: `Tensor`} of its codes.
    """
    coding = codec.coding
    if len(coding.codes) < 2:
        return {}
    (first, hyper_latents), (second, symbols) = integers.items()
    vector = coefficient_vector(codec.coefficients)

    def scales(inputs):
        level = levels(coding, inputs["coefficients"])
        return {"indexes": next_indexes(coding, [inputs[first]], None, level)}

    def of_pass(number, inputs):
        level = levels(coding, inputs["coefficients"])
        arrays = inputs[first], inputs.get(second)
        return {"indexes": pass_indexes(coding.context, number, *arrays, level)}

    inputs = {first: hyper_latents, "coefficients": vector}
    if not isinstance(coding, ContextSymbolCoding):
        outputs = {"indexes": symbols}
        return {"scales": Endpoint(codec.coefficients, scales, inputs, outputs)}
    *sizes, channels = symbols.shape
    indexes = dataclasses.replace(symbols, shape=(*sizes, channels // GROUPS))
    return {
        f"scales_{number}": Endpoint(
            codec.coefficients,
            functools.partial(of_pass, number),
            {**inputs, second: symbols} if number else inputs,
            {"indexes": indexes},
        )
        for number in range(PASSES)
    }
