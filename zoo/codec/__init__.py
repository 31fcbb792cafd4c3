"""Image compression: Ballé's codecs, conditioned on the rate-distortion trade-off.

What needs Keras is loaded on first use: reading a compressed file's head needs none.
"""

import importlib

_PUBLIC = {
    "Codec": "yoto_tf.zoo.codec.codec",
    "FactorizedPrior": "yoto_tf.zoo.codec.network.factorized_prior",
    "Hyperprior": "yoto_tf.zoo.codec.network.hyperprior",
}

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = ("yoto_tf.codec>FactorizedPrior", "yoto_tf.codec>Hyperprior")

__all__ = ["Codec", "FactorizedPrior", "Hyperprior"]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
