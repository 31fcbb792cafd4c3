"""Entropy models: how many bits quantised values cost, and their coding to bytes."""

from yoto_tf.entropy.coding_tables import CodingTables
from yoto_tf.entropy.deep_factorized import DeepFactorizedPrior
from yoto_tf.entropy.gaussian_conditional import GaussianConditional
from yoto_tf.entropy.laplace_conditional import LaplaceConditional
from yoto_tf.entropy.range_coding import (
    decode,
    decode_chunks,
    encode,
    encode_chunks,
)

__all__ = [
    "CodingTables",
    "DeepFactorizedPrior",
    "GaussianConditional",
    "LaplaceConditional",
    "decode",
    "decode_chunks",
    "encode",
    "encode_chunks",
]
