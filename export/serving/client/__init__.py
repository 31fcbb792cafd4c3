"""A client of TensorFlow Serving, which needs neither TensorFlow nor Keras."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, submod_attrs={"client": ["Client"], "transport": ["ServingError"]}
)
