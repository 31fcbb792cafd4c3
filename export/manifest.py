"""`yoto.json`: what travels in an exported model and is read without TensorFlow.

    name, family, id    see `Exportable`
    coefficients        {name: [low, high]}, in the order of the vector
    styles              names in the order of the weights; empty but for style transfer
    card                Markdown
    signatures          {name: {"inputs", "outputs": {name: {"dtype", "shape"}}}}

A string in a shape is a size that the caller chooses. A tensor whose shape starts with
"..." is given once for the batch, with or without an axis of length 1, or for every
example.
"""

import json


def manifest(exportable, **others):
    """The content of the file, UTF-8, with the entries that a target adds."""
    content = {
        "name": exportable.name,
        "family": exportable.family,
        "id": exportable.id,
        "coefficients": exportable.coefficients.ranges(),
        "styles": exportable.styles,
        "card": exportable.card,
        "signatures": {
            name: {
                "inputs": _described(endpoint.inputs),
                "outputs": _described(endpoint.outputs),
            }
            for name, endpoint in exportable.signatures.items()
        },
        **others,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode()


def _described(tensors):
    return {
        name: {"dtype": tensor.dtype, "shape": tensor.shape}
        for name, tensor in tensors.items()
    }
