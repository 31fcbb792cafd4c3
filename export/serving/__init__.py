"""TensorFlow Serving: folders that its server loads, and a client to talk to it.

A client machine needs NumPy, Pillow and, for gRPC, grpcio; not TensorFlow. So all that
is public here is loaded on first use.
"""

import importlib

_PUBLIC = {
    "Client": "yoto_tf.export.serving.client.client",
    "ServingError": "yoto_tf.export.serving.client.transport",
    "write": "yoto_tf.export.serving.folder",
}

__all__ = ["Client", "ServingError", "write"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
