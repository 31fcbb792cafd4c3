"""Style transfer: one network for many paintings, with five dials that can be turned.

What needs Keras is loaded on first use.
"""

import importlib

_PUBLIC = {
    "Stylizer": "yoto_tf.zoo.stylization.stylizer",
    "Transformer": "yoto_tf.zoo.stylization.network.style_network",
    "add_style": "yoto_tf.zoo.stylization.training.new_style",
}

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.stylization>Transformer",)

__all__ = ["Stylizer", "Transformer", "add_style"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
