"""Style transfer: one network for many paintings, with five dials that can be turned.

What needs Keras is loaded on first use.
"""

import lazy_loader

from yoto_tf.former_names import former

_attribute, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "network.style_network": ["StyleNetwork"],
        "stylizer": ["Stylizer"],
        "training.new_style": ["add_style"],
    },
)


def __getattr__(name):
    """In 0.1 `StyleNetwork` was called `Transformer`."""
    return _attribute(name) if name in __all__ else former(__name__, name)


# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.stylization>Transformer",)
