"""Between a `Hyperprior` network and bytes."""

from keras import ops

from yoto_tf.zoo.codec.coding.integer_scales import IntegerScales
from yoto_tf.zoo.codec.coding.levels import Levels
from yoto_tf.zoo.codec.coding.symbol_coding import HyperpriorSymbolCoding
from yoto_tf.zoo.codec.network.codec_network import channelwise
from yoto_tf.zoo.codec.network.padding import pad_to_multiple
from yoto_tf.zoo.codec.tiling.tiled_networks import StripedHyperprior
from yoto_tf.zoo.release import join_arrays


class HyperpriorGraphs:
    """The graphs of a network with a hyperprior.

    Attributes:
        network: a built `HyperpriorNetwork`.
    """

    def analyze(self, image, coefficients):
        """Graph: uint8 [B, H, W, 3] and [B, 1] to integers.

        Returns:
            int32 hyper-latents [B, h, w, N] and symbols [B, 4h, 4w, C].
        """
        image = pad_to_multiple(image, self.network.multiple)
        latents = self.latents(image, coefficients)
        hyper_latents = self.hyper_latents(latents, coefficients)
        symbols = self.symbols(latents, hyper_latents, coefficients)
        return hyper_latents, symbols

    def synthesize(self, hyper_latents, symbols, coefficients):
        """Graph: the integers of `analyze` to a padded image, about [0, 1], float32."""
        quantized = self.quantized(hyper_latents, symbols, coefficients)
        return self.image(quantized, coefficients)

    def latents(self, image, coefficients):
        """Graph: padded uint8 image to latents before the gain, float32."""
        image = ops.cast(image, "float32") / 255.0
        return self.network.analyze(image, self.network.embedding(coefficients))

    def hyper_latents(self, latents, coefficients):
        """Graph: latents to int32 hyper-latents."""
        embedding = self.network.embedding(coefficients)
        hyper_latents = self.network.hyper_analyze(latents, embedding)
        return ops.cast(ops.round(hyper_latents), "int32")

    def image(self, quantized, coefficients):
        """Graph: quantised latents to a padded image, about [0, 1], float32."""
        embedding = self.network.embedding(coefficients)
        return self.network.synthesize(quantized, embedding)


class HyperpriorCoding(HyperpriorGraphs, HyperpriorSymbolCoding):
    """The integers that encoder and decoder exchange, and their coding.

    Args:
        network: a built `Hyperprior`.
        tables: arrays as `build_tables` returns them.
    """

    striped = StripedHyperprior

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
            scales=IntegerScales.from_network(network, levels.vectors).to_arrays(),
            hyper_latents=prior.to_arrays(),
            latents=network.conditional.coding_tables().to_arrays(),
        )

    def symbols(self, latents, hyper_latents, coefficients):
        """Graph: latents and hyper-latents to int32 symbols."""
        network = self.network
        embedding = network.embedding(coefficients)
        mean = network.mean(ops.cast(hyper_latents, "float32"), embedding)
        gain = channelwise(ops.exp(network.log_gain(embedding)))
        return ops.cast(ops.round(latents * gain - mean), "int32")

    def quantized(self, hyper_latents, symbols, coefficients):
        """Graph: integers to the latents that are synthesised, float32."""
        embedding = self.network.embedding(coefficients)
        mean = self.network.mean(ops.cast(hyper_latents, "float32"), embedding)
        return ops.cast(symbols, "float32") + mean
