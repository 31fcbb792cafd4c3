"""Graph models, the format of TensorFlow.js for graphs of TensorFlow.

    model.json      the graph, with the names of its inputs and outputs
    weights.bin     its constants, one after the other: float16 where that loses nothing

All endpoints are in one graph, so that a constant that several of them read is there
once. Executed is what the outputs that are asked for depend on.

Reference: TensorFlow.js, `tfjs-converter`, `loadGraphModel`.
"""

import json

import keras
import numpy as np

from yoto_tf.export.web.fast_operations import with_fast_operations

# What TensorFlow.js has of TensorFlow's types.
_DTYPES = {"float32": "float32", "int32": "int32", "int64": "int32", "bool": "bool"}


def write_graph_model(endpoints, variables, folder):
    """Writes endpoints into a new folder.

    Args:
        endpoints: {name: `Endpoint`}. Inputs of one name are one input, which has the
            same type for all; no two outputs have the same name.
        variables: the Keras variables that they read.
        folder: `pathlib.Path` of the folder to make.
    """
    traced, inputs, outputs = _traced(endpoints, variables)
    nodes, constants = _without_constants(traced)
    entries, content = _packed(constants)
    model = {
        "format": "graph-model",
        "generatedBy": "yoto_tf",
        "modelTopology": {"node": nodes, "versions": {}},
        "signature": {
            "inputs": {name: {"name": f"{name}:0"} for name in inputs},
            "outputs": {name: {"name": output} for name, output in outputs.items()},
        },
        "weightsManifest": [{"paths": ["weights.bin"], "weights": entries}],
    }
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(model, separators=(",", ":")))
    (folder / "weights.bin").write_bytes(content)


def _traced(endpoints, variables):
    """The nodes that compute the endpoints, with constants for variables.

    Also the names of the inputs, and {name of an output: name of its tensor}.
    """
    import tensorflow as tf

    from yoto_tf.export.reusable import specs

    values = [keras.ops.convert_to_numpy(variable) for variable in variables]
    tensors = {}
    for endpoint in endpoints.values():
        tensors |= endpoint.inputs

    @tf.function(autograph=False)
    def function(inputs):
        pairs = zip(variables, map(tf.constant, values), strict=True)
        outputs = {}
        with keras.StatelessScope(state_mapping=list(pairs)):
            for endpoint in endpoints.values():
                outputs |= endpoint({name: inputs[name] for name in endpoint.inputs})
        return outputs

    traced = function.get_concrete_function(specs(tensors))
    # Its outputs are in the order of their sorted names.
    names = sorted(name for e in endpoints.values() for name in e.outputs)
    outputs = {
        name: tensor.name for name, tensor in zip(names, traced.outputs, strict=True)
    }
    graph = with_fast_operations(traced.graph)
    named = [name.partition(":")[0] for name in (*tensors, *outputs.values())]
    return _needed(graph.node, named), list(tensors), outputs


def _needed(nodes, names):
    """The nodes that those of some names depend on, and they themselves."""
    by_name, needed, waiting = {node.name: node for node in nodes}, set(), list(names)
    while waiting:
        name = waiting.pop().lstrip("^").partition(":")[0]
        if name not in needed:
            needed.add(name)
            waiting += by_name[name].input
    return [node for node in nodes if node.name in needed]


def _without_constants(graph_nodes):
    """The nodes as JSON has them, and {name: array} of the constants.

    Equal constants, of which there are many small ones, are kept once.
    """
    import tensorflow as tf
    from google.protobuf.json_format import MessageToDict

    nodes, constants, kept, same = [], {}, {}, {}
    for node in graph_nodes:
        described = {"name": node.name, "op": node.op}
        if node.op == "Const":
            array = tf.make_ndarray(node.attr["value"].tensor)
            key = (array.dtype.name, array.shape, array.tobytes())
            same[node.name] = kept.setdefault(key, node.name)
            if same[node.name] != node.name:
                continue
            constants[node.name] = array
            described["attr"] = {"dtype": MessageToDict(node.attr["dtype"])}
        else:
            described["input"] = list(node.input)
            described["attr"] = {
                name: MessageToDict(value) for name, value in node.attr.items()
            }
        nodes.append(described)
    for node in nodes:
        if "input" in node:
            node["input"] = [same.get(name, name) for name in node["input"]]
    return nodes, constants


def _packed(constants):
    """The entries of the manifest, and the content of the file."""
    entries, contents = [], []
    for name, array in constants.items():
        dtype = _DTYPES[array.dtype.name]
        entry = {"name": name, "shape": list(array.shape), "dtype": dtype}
        with np.errstate(over="ignore"):
            half = array.astype("float16") if dtype == "float32" else None
        if half is not None and np.array_equal(half.astype("float32"), array):
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            array = half
        else:
            array = array.astype(dtype)
        entries.append(entry)
        contents.append(array.tobytes())
    return entries, b"".join(contents)
