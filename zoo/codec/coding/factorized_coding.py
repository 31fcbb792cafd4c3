"""Between a `FactorizedPrior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.levels import Levels
from yoto_tf.zoo.codec.coding.symbol_coding import FactorizedSymbolCoding
from yoto_tf.zoo.codec.network.codec_network import channelwise
from yoto_tf.zoo.codec.network.padding import pad_to_multiple
from yoto_tf.zoo.codec.tiling.tiled_networks import StripedFactorizedPrior
from yoto_tf.zoo.release import join_arrays


class FactorizedCoding(FactorizedSymbolCoding):
    """The integers that encoder and decoder exchange, and their coding.

    Args:
        network: a built `FactorizedPrior`.
        tables: arrays as `build_tables` returns them.
    """

    striped = StripedFactorizedPrior

    def __init__(self, network, tables):
        super().__init__(tables)
        self.network = network

    @staticmethod
    def build_tables(network):
        """All integers that encoder and decoder must share, as a flat dict."""
        levels = Levels.of(network.coefficients)
        prior = network.prior_tables(levels.vectors)
        return join_arrays(
            levels=levels.to_arrays(),
            latents=prior.to_arrays(),
        )

    def analyze(self, image, coefficients):
        """Graph: uint8 [B, H, W, 3] and [B, 1] to int32 symbols [B, h, w, C]."""
        network = self.network
        image = ops.cast(image, "float32") / 255.0
        embedding = network.embedding(coefficients)
        latents = network.analyze(pad_to_multiple(image, network.multiple), embedding)
        gain = channelwise(ops.exp(network.log_gain(embedding)))
        return (ops.cast(ops.round(latents * gain), "int32"),)

    def synthesize(self, symbols, coefficients):
        """Graph: the integers of `analyze` to a padded image, about [0, 1], float32."""
        embedding = self.network.embedding(coefficients)
        return self.network.synthesize(ops.cast(symbols, "float32"), embedding)
