"""The factorised-prior codec, conditioned on λ throughout.

    image ─ analysis ─ × gain ─ round ─ ÷ gain' ─ synthesis ─ image
                                 │
                  a learned density per channel and λ

Reference: Ballé, Laparra & Simoncelli, "End-to-end Optimized Image Compression", ICLR
2017, with the prior of Ballé et al., ICLR 2018.
"""

import keras

from yoto_tf.zoo.codec.coding.factorized_coding import FactorizedCoding
from yoto_tf.zoo.codec.network.codec_network import CodecNetwork
from yoto_tf.zoo.codec.network.transforms import strided_transforms


@keras.saving.register_keras_serializable(package="yoto_tf.codec")
class FactorizedPrior(CodecNetwork):
    """Image and coefficients to a reconstruction and the bits it takes.

    Args:
        coefficients: `yoto_tf.Coefficients` with one coefficient, `distortion`.
        filters: channels after each strided convolution of the analysis; the last is
            the number of latent channels.
        embedding_units: widths of the coefficient embedding.
        conditioned: see `CodecNetwork`.

    Inputs, outputs: see `CodecNetwork`.

    Raises:
        ValueError: not four filters.
    """

    coding = FactorizedCoding

    def __init__(
        self,
        coefficients,
        filters=(64, 96, 144, 192),
        embedding_units=(64, 64),
        conditioned=True,
        **kwargs,
    ):
        super().__init__(
            coefficients,
            filters,
            *strided_transforms(filters, conditioned),
            prior_channels=filters[-1],
            prior_scale=10.0,
            embedding_units=embedding_units,
            conditioned=conditioned,
            **kwargs,
        )

    def code_latents(self, latents, embedding, training=None):
        latents = self.scale(latents, embedding)
        return self.quantize_under_prior(latents, embedding, training)

    def relax(self, codes, embedding, rounding):
        [latents] = codes
        return self.relax_under_prior(latents, embedding, rounding)
