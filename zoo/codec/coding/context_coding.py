"""Between a `ContextHyperprior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.context_rounding import integer_context
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.hyperprior_coding import HyperpriorGraphs
from yoto_tf.zoo.codec.coding.levels import Levels
from yoto_tf.zoo.codec.tiling.tiled_networks import StripedContextHyperprior
from yoto_tf.zoo.release import join_arrays


class ContextCoding(HyperpriorGraphs, ContextSymbolCoding):
    """The integers that encoder and decoder exchange, and their coding.

    Args:
        network: a built `ContextHyperprior`.
        tables: arrays as `build_tables` returns them.
    """

    striped = StripedContextHyperprior

    def __init__(self, network, tables):
        super().__init__(tables)
        self.network = network

    @staticmethod
    def build_tables(network):
        """All integers that encoder and decoder must share, as a flat dict."""
        levels = Levels.of(network.coefficients)
        return join_arrays(
            levels=levels.to_arrays(),
            context=integer_context(network, levels.vectors).arrays,
            hyper_latents=network.prior_tables(levels.vectors).to_arrays(),
            latents=network.conditional.coding_tables().to_arrays(),
        )

    def symbols(self, latents, hyper_latents, coefficients):
        """Graph: latents and hyper-latents to int32 symbols."""
        embedding = self.network.embedding(coefficients)
        hyper_latents = ops.cast(hyper_latents, "float32")
        symbols = self.network.symbols(latents, hyper_latents, embedding)
        return ops.cast(symbols, "int32")

    def quantized(self, hyper_latents, symbols, coefficients):
        """Graph: integers to the latents that are synthesised, float32."""
        embedding = self.network.embedding(coefficients)
        return self.network.quantized(
            ops.cast(symbols, "float32"), ops.cast(hyper_latents, "float32"), embedding
        )
