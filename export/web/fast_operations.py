"""Graphs without what TensorFlow.js computes slowly in WebAssembly.

Its kernels for convolutions are those of XNNPACK, with vector instructions. For
transposed convolutions there are plain loops. One of stride 2 becomes four convolutions
of stride 1, one for even and odd rows and columns each, whose outputs are interleaved.
"""

import itertools


def with_fast_operations(graph):
    """A graph of TensorFlow as a GraphDef, in which such operations are replaced.

    Args:
        graph: `tf.Graph`. Its tensors keep their names.
    """
    import tensorflow as tf

    tensors = {}
    with tf.Graph().as_default() as new:
        for operation in graph.get_operations():
            inputs = [tensors[tensor.name] for tensor in operation.inputs]
            replaced = None
            if operation.type == "Conv2DBackpropInput":
                # Names of its own, so that no other operation has to give up its.
                with tf.name_scope(f"{operation.name}/fast/"):
                    replaced = _convolutions(operation, *inputs)
            if replaced is None:
                outputs = new.create_op(
                    operation.type,
                    inputs,
                    [output.dtype for output in operation.outputs],
                    name=operation.name,
                    attrs=dict(operation.node_def.attr),
                ).outputs
            else:
                outputs = [tf.identity(replaced, operation.name)]
            for old, output in zip(operation.outputs, outputs, strict=True):
                tensors[old.name] = output
    return new.as_graph_def()


def _convolutions(operation, _, kernel, features):
    """The same as a transposed convolution of stride 2, padded "same"; None for others.

    An output 2m + p of an axis of K taps is reached by the inputs m − s through the
    taps p + b + 2s, with b = (K − 2) // 2 pixels before the first.
    """
    import tensorflow as tf

    attributes = operation.node_def.attr
    value = tf.get_static_value(kernel)
    if (
        value is None
        or list(attributes["strides"].list.i) != [1, 2, 2, 1]
        or attributes["padding"].s != b"SAME"
        or attributes["data_format"].s != b"NHWC"
    ):
        return None
    parts = []
    phases = ([_phase(size, parity) for parity in (0, 1)] for size in value.shape[:2])
    for (rows, above), (columns, beside) in itertools.product(*phases):
        # Kernels of transposed convolutions are [height, width, outputs, inputs].
        taps = value[rows][:, columns].swapaxes(2, 3)
        pads = [[0, 0], above, beside, [0, 0]]
        parts.append(tf.nn.conv2d(features, tf.constant(taps), 1, pads))
    return tf.nn.depth_to_space(tf.concat(parts, axis=-1), 2)


def _phase(size, parity):
    """Of even or odd outputs along an axis: the taps, and pixels of padding."""
    before = (size - 2) // 2
    # The input that is furthest behind comes first.
    shifts = [
        shift
        for shift in range(size, -size, -1)
        if 0 <= parity + before + 2 * shift < size
    ]
    taps = [parity + before + 2 * shift for shift in shifts]
    return taps, [max(shifts[0], 0), max(-shifts[-1], 0)]
