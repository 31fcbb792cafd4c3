"""Between a `FactorizedPrior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.network_coding import NetworkCoding
from yoto_tf.zoo.codec.coding.symbol_coding import FactorizedSymbolCoding
from yoto_tf.zoo.codec.tiling.tiled_networks import TiledFactorizedPrior


class FactorizedCoding(NetworkCoding):
    """The `NetworkCoding` of a `FactorizedPrior`."""

    symbol_coding = FactorizedSymbolCoding
    tiled = TiledFactorizedPrior

    @staticmethod
    def table_arrays(network, vectors):
        return {"latents": network.prior_tables(vectors).to_arrays()}

    def unrounded(self, image, embedding):
        return (self.latents(image, embedding),)

    def rounded(self, latents, embedding):
        """Graph: int32 symbols [B, h, w, C]."""
        symbols = ops.round(self.network.scale(latents, embedding))
        return (ops.cast(symbols, "int32"),)

    def synthesize(self, symbols, coefficients):
        embedding = self.network.embedding(coefficients)
        return self.image(ops.cast(symbols, "float32"), embedding)
