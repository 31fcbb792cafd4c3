"""Image compression: Ballé's codecs, conditioned on the rate-distortion trade-off.

What needs Keras is loaded on first use: reading a compressed file's head needs none.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "codec": ["Codec"],
        "network.context_hyperprior": ["ContextHyperprior"],
        "network.factorized_prior": ["FactorizedPrior"],
        "network.hyperprior": ["Hyperprior", "ResidualHyperprior"],
    },
)

# The networks that a release of this family may hold, as Keras knows them.
REGISTERED_NAMES = (
    "yoto_tf.codec>ContextHyperprior",
    "yoto_tf.codec>FactorizedPrior",
    "yoto_tf.codec>Hyperprior",
    "yoto_tf.codec>ResidualHyperprior",
)
