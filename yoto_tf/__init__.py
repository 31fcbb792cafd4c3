"""Loss-conditional training: train once, turn the dial afterwards.

Everything public is listed here and loaded on first use, so that importing the package
costs little more than importing Keras.
"""

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "Coefficients": "yoto_tf.coefficients",
    "Dirichlet": "yoto_tf.coefficients",
    "Discrete": "yoto_tf.coefficients",
    "Fixed": "yoto_tf.coefficients",
    "LogUniform": "yoto_tf.coefficients",
    "Uniform": "yoto_tf.coefficients",
    "LossConditionalModel": "yoto_tf.training",
}
_SUBPACKAGES = ("entropy", "export", "layers", "zoo")

__all__ = [*sorted(_PUBLIC), *_SUBPACKAGES]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"yoto_tf.{name}")
    raise AttributeError(f"module 'yoto_tf' has no attribute {name!r}")


def __dir__():
    return __all__
