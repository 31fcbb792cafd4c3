"""Between a `Hyperprior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.integer_scales import IntegerScales
from yoto_tf.zoo.codec.coding.network_coding import NetworkCoding
from yoto_tf.zoo.codec.coding.symbol_coding import HyperpriorSymbolCoding
from yoto_tf.zoo.codec.tiling.tiled_networks import TiledHyperprior


class HyperpriorCoding(NetworkCoding):
    """The `NetworkCoding` of a `HyperpriorNetwork`."""

    symbol_coding = HyperpriorSymbolCoding
    tiled = TiledHyperprior

    @staticmethod
    def table_arrays(network, vectors):
        return {
            "scales": IntegerScales.from_network(network, vectors).to_arrays(),
            "hyper_latents": network.prior_tables(vectors).to_arrays(),
            "latents": network.conditional.coding_tables().to_arrays(),
        }

    def unrounded(self, image, embedding):
        latents = self.latents(image, embedding)
        return self.network.hyper_analyze(latents, embedding), latents

    def rounded(self, hyper_latents, latents, embedding):
        """Graph: int32 hyper-latents [B, h, w, N] and symbols [B, 4h, 4w, C]."""
        hyper_latents = ops.cast(ops.round(hyper_latents), "int32")
        return hyper_latents, self.symbols(latents, hyper_latents, embedding)

    def synthesize(self, hyper_latents, symbols, coefficients):
        embedding = self.network.embedding(coefficients)
        quantized = self.quantized(hyper_latents, symbols, embedding)
        return self.image(quantized, embedding)

    def symbols(self, latents, hyper_latents, embedding):
        """Graph: latents and hyper-latents to int32 symbols."""
        hyper_latents = ops.cast(hyper_latents, "float32")
        symbols = self.network.symbols(latents, hyper_latents, embedding)
        return ops.cast(symbols, "int32")

    def quantized(self, hyper_latents, symbols, embedding):
        """Graph: integers to the latents that are synthesised, float32."""
        return self.network.quantized(
            ops.cast(symbols, "float32"), ops.cast(hyper_latents, "float32"), embedding
        )
