"""A client of TensorFlow Serving, which needs no TensorFlow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"client": ["Client"], "transport": ["ServingError"]}
)
