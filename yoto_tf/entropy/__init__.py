"""Entropy models: how many bits quantised values cost, and their coding to bytes.

The densities, which need Keras, are loaded on first use: coding needs none.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "coding_tables": ["CodingTables"],
        "deep_factorized": ["DeepFactorizedPrior"],
        "gaussian_conditional": ["GaussianConditional"],
        "laplace_conditional": ["LaplaceConditional"],
        "range_coding": ["decode", "decode_chunks", "encode", "encode_chunks"],
    },
)
