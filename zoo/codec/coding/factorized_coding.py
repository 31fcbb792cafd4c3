"""Between a `FactorizedPrior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.network_coding import NetworkCoding
from yoto_tf.zoo.codec.coding.symbol_coding import FactorizedSymbolCoding
from yoto_tf.zoo.codec.network.padding import pad_to_multiple
from yoto_tf.zoo.codec.tiling.tiled_networks import StripedFactorizedPrior


class FactorizedCoding(NetworkCoding):
    """The `NetworkCoding` of a `FactorizedPrior`."""

    symbol_coding = FactorizedSymbolCoding
    striped = StripedFactorizedPrior

    @staticmethod
    def table_arrays(network, vectors):
        return {"latents": network.prior_tables(vectors).to_arrays()}

    def analyze(self, image, coefficients):
        """Graph: uint8 [B, H, W, 3] and [B, 1] to int32 symbols [B, h, w, C]."""
        image = pad_to_multiple(image, self.network.multiple)
        latents = self.latents(image, coefficients)
        embedding = self.network.embedding(coefficients)
        symbols = ops.round(self.network.scale(latents, embedding))
        return (ops.cast(symbols, "int32"),)

    def synthesize(self, symbols, coefficients):
        return self.image(ops.cast(symbols, "float32"), coefficients)
