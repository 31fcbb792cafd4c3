"""Graph models, the format of TensorFlow.js for graphs of TensorFlow.

    model.json      the graph, with the names of its inputs and output
    weights.bin     its constants, one after the other: float16 where that loses nothing

Reference: TensorFlow.js, `tfjs-converter`, `loadGraphModel`.
"""

import json

import keras
import numpy as np

# What TensorFlow.js has of TensorFlow's types.
_DTYPES = {"float32": "float32", "int32": "int32", "int64": "int32", "bool": "bool"}


def write_graph_model(endpoint, variables, folder):
    """Writes an endpoint into a new folder.

    Args:
        endpoint: an `Endpoint` of one output.
        variables: the Keras variables that it reads.
        folder: `pathlib.Path` of the folder to make.
    """
    graph, output = _graph(endpoint, variables)
    nodes, constants = _without_constants(graph)
    entries, content = _packed(constants)
    model = {
        "format": "graph-model",
        "generatedBy": "yoto_tf",
        "modelTopology": {"node": nodes, "versions": {}},
        "signature": {
            "inputs": {name: {"name": f"{name}:0"} for name in endpoint.inputs},
            "outputs": {name: {"name": output} for name in endpoint.outputs},
        },
        "weightsManifest": [{"paths": ["weights.bin"], "weights": entries}],
    }
    folder.mkdir()
    (folder / "model.json").write_text(json.dumps(model, separators=(",", ":")))
    (folder / "weights.bin").write_bytes(content)


def _graph(endpoint, variables):
    """The endpoint as a GraphDef with constants for variables; its output's name."""
    import tensorflow as tf

    from yoto_tf.export.reusable import specs

    values = [keras.ops.convert_to_numpy(variable) for variable in variables]

    @tf.function(autograph=False)
    def function(inputs):
        pairs = zip(variables, map(tf.constant, values), strict=True)
        with keras.StatelessScope(state_mapping=list(pairs)):
            return endpoint(inputs)

    traced = function.get_concrete_function(specs(endpoint.inputs))
    [output] = traced.outputs
    return traced.graph.as_graph_def(), output.name


def _without_constants(graph):
    """The nodes as JSON has them, and {name: array} of the constants.

    Equal constants, of which there are many small ones, are kept once.
    """
    import tensorflow as tf
    from google.protobuf.json_format import MessageToDict

    nodes, constants, kept, same = [], {}, {}, {}
    for node in graph.node:
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
        half = array.astype("float16") if dtype == "float32" else None
        if half is not None and np.array_equal(half.astype("float32"), array):
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
            array = half
        else:
            array = array.astype(dtype)
        entries.append(entry)
        contents.append(array.tobytes())
    return entries, b"".join(contents)
