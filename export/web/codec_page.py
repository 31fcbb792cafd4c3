"""The codec's page: pictures to `.yoto` files and back.

    photograph.png              what it shows first
    network/                    the parts of the network, see
                                `yoto_tf.export.web.graph_model`
    tables.safetensors          the release's: what the range coder must share with it

The page runs the transforms in floating point and has the coder of
`yoto_tf.zoo.codec.coding` in JavaScript: the same integers are the same bytes. A part
of the network runs in tiles where a picture is large, as in
`yoto_tf.zoo.codec.tiling`.
"""

import functools

from keras import ops

from yoto_tf.errors import RecipeError
from yoto_tf.export.exportable import Endpoint, Tensor, coefficient_vector
from yoto_tf.export.families.released import describe_release
from yoto_tf.export.web.graph_model import write_graph_model
from yoto_tf.export.web.page import WebPage, encoded, write_site
from yoto_tf.zoo.array_file import TABLES, pack
from yoto_tf.zoo.codec.network.hyperprior import HyperpriorNetwork

PHOTOGRAPH = "photograph.png"
# Numbers in the largest map of a tile: a browser has less memory than a machine.
VALUES = 2**23
# The inputs and the output of each part.
_MAPS = {
    "analysis": (("image",), "latents"),
    "hyper_analysis": (("latents",), "hyper_latents"),
    "symbols": (("latents", "hyper_latents"), "symbols"),
    "quantized": (("hyper_latents", "symbols"), "quantized"),
    "synthesis": (("quantized",), "decoded"),
}
# Pixels along the side of a place.
_SIDES = {"image": 1, "decoded": 1, "hyper_latents": 64}
_LATENTS = 16


def web_page(codec):
    """The `WebPage` of a `yoto_tf.zoo.codec.Codec`.

    Raises:
        RecipeError: a codec without a hyperprior.
    """
    network = codec.model
    if not isinstance(network, HyperpriorNetwork):
        raise RecipeError(
            f"target web shows codecs with a hyperprior, this one is a "
            f"{type(network).__name__}"
        )
    parts = codec.graphs.tiled(codec.graphs).parts
    channels = {"image": 3, "decoded": 3, "hyper_latents": network.hyper_filters}
    channels = {
        name: channels.get(name, network.filters[-1])
        for inputs, output in _MAPS.values()
        for name in (*inputs, output)
    }
    vector = coefficient_vector(codec.coefficients)
    endpoints = {
        name: Endpoint(
            codec.coefficients,
            functools.partial(_run, parts[name].function, inputs, output),
            {
                "coefficients": vector,
                **{key: _tensor(key, channels[key]) for key in inputs},
            },
            {output: _tensor(output, channels[output])},
        )
        for name, (inputs, output) in _MAPS.items()
    }
    whole = Endpoint(
        codec.coefficients,
        network,
        {"image": _tensor("image", 3), "coefficients": vector},
    )
    exportable = describe_release(codec, whole, {}, endpoints, None)
    told = description(codec, parts, channels)

    def write(folder):
        from yoto_tf.data import colosseum

        write_site("codec", told, folder)
        write_graph_model(endpoints, network.variables, folder / "network")
        (folder / TABLES).write_bytes(pack(codec.release.tables))
        (folder / PHOTOGRAPH).write_bytes(encoded(colosseum(), "png"))

    return WebPage(exportable, write)


def description(codec, parts, channels):
    """What the page is told.

    Args:
        codec: a `yoto_tf.zoo.codec.Codec`.
        parts: {name: `yoto_tf.zoo.codec.tiling.tiles.TiledGraph`}.
        channels: {name: int} of the maps.
    """
    [(low, high)] = codec.coefficients.ranges().values()
    return {
        "ids": [codec.model_id.hex(), *(i.hex() for i in codec.release.former_ids)],
        "range": [low, high],
        "channels": channels,
        "parts": {
            name: {
                "inputs": inputs,
                "output": output,
                "reach": parts[name].reach,
                "area": max(1, VALUES // parts[name].values),
            }
            for name, (inputs, output) in _MAPS.items()
        },
    }


def _run(function, names, output, inputs):
    maps = [inputs[name] for name in names]
    return {output: ops.cast(function(*maps, inputs["coefficients"]), "float32")}


def _tensor(name, channels):
    """The `Tensor` of a map."""
    side = _SIDES.get(name, _LATENTS)
    sizes = {1: ("16h", "16w"), 16: ("h", "w"), 64: ("h/4", "w/4")}[side]
    return Tensor("float32", ("B", *sizes, channels))
