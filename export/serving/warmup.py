"""Requests that a server runs before it says that a model is ready.

The first request of a signature takes many times as long as the next: memory is
allocated, kernels are set up and graphs are rewritten.
"""

import json
from pathlib import Path

import numpy as np

from yoto_tf.export.serving import messages
from yoto_tf.export.serving.tensors import fill_tensor

# Pixels to a side: a whole block of the codec's hyper-latents, and little work.
_SIDE = 64


def write_warmup(directory, name):
    """Writes `assets.extra/tf_serving_warmup_requests` into a SavedModel.

    A server does not load a model whose warm-up fails. So every request is run here
    first; a signature that fails gets none.

    Args:
        directory: of a SavedModel as `write_saved_model` writes it.
        name: of the model on the server.

    Returns:
        Names of the signatures that are warmed up.
    """
    import tensorflow as tf

    requests = _requests(directory)
    path = Path(directory, "assets.extra", "tf_serving_warmup_requests")
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            log = messages.PredictionLog()
            request = log.predict_log.request
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key, array in inputs.items():
                fill_tensor(request.inputs[key], array)
            writer.write(log.SerializeToString())
    return list(requests)


def _requests(directory):
    """{signature: {input: array}}, small ones that the model answers."""
    import tensorflow as tf

    manifest = json.loads(Path(directory, "assets", "yoto.json").read_text("utf-8"))
    lowest = [low for low, _ in manifest["coefficients"].values()]
    # Outputs of one signature are inputs of the next: symbols of a size that fits.
    known = {"coefficients": np.array([lowest], "float32")}
    functions = tf.saved_model.load(str(directory)).signatures
    requests = {}
    for name, description in manifest["signatures"].items():
        inputs = {
            key: known.get(key, _example(**tensor))
            for key, tensor in description["inputs"].items()
        }
        try:
            answer = functions[name](**{k: tf.constant(v) for k, v in inputs.items()})
        except (tf.errors.OpError, ValueError, TypeError):
            continue
        requests[name] = inputs
        known = {key: array.numpy() for key, array in answer.items()} | known
    return requests


def _example(dtype, shape):
    """An array of ones of the smallest size that every network here takes."""
    first, *sizes = shape
    batch = first if isinstance(first, int) else 1
    sizes = [size if isinstance(size, int) else _SIDE for size in sizes]
    return np.ones((batch, *sizes), dtype)
