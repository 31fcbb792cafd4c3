"""Conditioning and normalisation layers, one a file."""

from yoto_tf.layers.coefficient_embedding import CoefficientEmbedding
from yoto_tf.layers.conditional_batch_normalization import (
    ConditionalBatchNormalization,
)
from yoto_tf.layers.conditional_instance_normalization import (
    ConditionalInstanceNormalization,
)
from yoto_tf.layers.film import FiLM
from yoto_tf.layers.gate import Gate
from yoto_tf.layers.gdn import GDN
from yoto_tf.layers.lora import LoRA

__all__ = [
    "GDN",
    "CoefficientEmbedding",
    "ConditionalBatchNormalization",
    "ConditionalInstanceNormalization",
    "FiLM",
    "Gate",
    "LoRA",
]
