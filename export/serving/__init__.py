"""TensorFlow Serving: folders that its server loads, and a client to talk to it.

A client machine needs NumPy, Pillow and, for gRPC, grpcio, but neither TensorFlow nor
Keras. So all that is public here is loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "client.client": ["Client"],
        "client.transport": ["ServingError"],
        "folder": ["write"],
    },
)
