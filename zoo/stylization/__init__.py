"""Style transfer: one network for many paintings, with five dials that can be turned.

What needs Keras is loaded on first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "network.style_network": ["Transformer"],
        "stylizer": ["Stylizer"],
        "training.new_style": ["add_style"],
    },
)

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.stylization>Transformer",)
