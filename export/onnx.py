"""Models for ONNX: ONNX Runtime and whatever else reads the format.

    NAME.onnx               one file a signature, of the same name, float32, opset 17
    yoto.json               see `yoto_tf.export.manifest`; "files" has their bytes
    release/ or model.keras as in `yoto_tf.export.saved_model`

In an ONNX graph no two tensors have one name: an output that would be called as an
input is, `image` say, is called `image_out`. The codec's choice of tables stays exact,
see `yoto_tf.export.families.exact_integers`.
"""

import dataclasses

from tqdm import tqdm

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.manifest import manifest
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import check_backend
from yoto_tf.export.sizes import with_sizes
from yoto_tf.machine.muted_stderr import muted_stderr

# Of 2022: most runtimes read it, and all operations that are needed are in it.
OPSET = 17


def write(model, directory, batch=None, height=None, width=None):
    """Writes ONNX files.

    Args:
        model: what `write_saved_model` takes.
        directory: the folder to write; it may exist if it is empty.
        batch, height, width: of the pictures, integers ≥ 1. Sizes that are left out
            are chosen with every request.

    Raises:
        RecipeError: tf2onnx is not installed; a model that cannot be exported or needs
            other operations; sizes that do not suit it; or another backend than
            TensorFlow's.
        DataError: the folder cannot be written or is not empty.
    """
    check_backend()
    _check_converter()
    exportable = with_sizes(describe(model), batch, height, width)
    endpoints = {
        name: _with_distinct_names(endpoint)
        for name, endpoint in exportable.endpoints.items()
    }
    exportable = dataclasses.replace(exportable, endpoints=endpoints, default=None)
    with new_folder(directory) as folder:
        files = {}
        for name in tqdm(endpoints, unit="file", delay=1, disable=None):
            content = _converted(name, endpoints[name])
            (folder / f"{name}.onnx").write_bytes(content)
            files[f"{name}.onnx"] = len(content)
        (folder / "yoto.json").write_bytes(manifest(exportable, files=files))
        exportable.write_keras(folder)


def _check_converter():
    try:
        # It reads the environment and configures logging while it is imported.
        with muted_stderr():
            import tf2onnx  # noqa: F401
    except ImportError as error:
        raise RecipeError(
            "the target onnx needs tf2onnx, which comes with the extra `onnx`: pip "
            "install 'yoto_tf[onnx]', or '.[onnx]' in a checkout"
        ) from error


def _with_distinct_names(endpoint):
    names = {
        name: f"{name}_out" if name in endpoint.inputs else name
        for name in endpoint.outputs
    }

    def renamed(inputs):
        outputs = endpoint.function(inputs)
        return {names[name]: output for name, output in outputs.items()}

    outputs = {names[name]: tensor for name, tensor in endpoint.outputs.items()}
    return dataclasses.replace(endpoint, function=renamed, outputs=outputs)


def _converted(name, endpoint):
    """An endpoint as the content of a file."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    from yoto_tf.export.reusable import specs

    function = tf.function(endpoint.__call__, autograph=False)
    try:
        # It prints what is of no use, and the errors that it raises anyway.
        with muted_stderr():
            model, _ = tf2onnx.convert.from_function(
                function, input_signature=[specs(endpoint.inputs)], opset=OPSET
            )
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise RecipeError(f"ONNX cannot run {name}: {reason}") from error
    # The converter leaves in the graph what it cannot convert.
    unknown = {
        node.op_type
        for node in _nodes(model.graph)
        if not onnx.defs.has(node.op_type, node.domain)
    }
    if unknown:
        raise RecipeError(
            f"ONNX cannot run {name}: no such op as {', '.join(sorted(unknown))}"
        )
    for values, tensors in (
        (model.graph.input, endpoint.inputs),
        (model.graph.output, endpoint.outputs),
    ):
        for value in values:
            _name_sizes(value, tensors[value.name].shape)
    return model.SerializeToString()


def _nodes(graph):
    """Nodes of a graph and of those within it, such as the branches of a condition."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _name_sizes(value, shape):
    """Gives the free sizes of a tensor the names that they have in `yoto.json`."""
    for dimension, size in zip(value.type.tensor_type.shape.dim, shape, strict=True):
        if isinstance(size, str):
            dimension.dim_param = size
