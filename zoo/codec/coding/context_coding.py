"""Between a `ContextHyperprior` network and bytes."""

from yoto_tf.zoo.codec.coding.context_rounding import integer_context
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.hyperprior_coding import HyperpriorCoding
from yoto_tf.zoo.codec.tiling.tiled_networks import TiledContextHyperprior


class ContextCoding(HyperpriorCoding):
    """The `NetworkCoding` of a `ContextHyperprior`."""

    symbol_coding = ContextSymbolCoding
    tiled = TiledContextHyperprior

    @staticmethod
    def table_arrays(network, vectors):
        return {
            "context": integer_context(network, vectors).arrays,
            "hyper_latents": network.prior_tables(vectors).to_arrays(),
            "latents": network.conditional.coding_tables().to_arrays(),
        }
