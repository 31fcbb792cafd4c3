"""Between a codec's network and the integers that are coded."""

from keras import ops

from yoto_tf.zoo.codec.coding.levels import Levels
from yoto_tf.zoo.codec.network.padding import pad_to_multiple
from yoto_tf.zoo.release import join_arrays


class NetworkCoding:
    """The graphs of a network from pictures to integers and back, and their coder.

    Args:
        network: a built `CodecNetwork`.
        tables: arrays as `build_tables` returns them.

    Attributes:
        network: the network.
        coder: the `SymbolCoding` of the integers.
    """

    # Classes of the coder, and of what does the same as the graphs in tiles.
    symbol_coding: type
    tiled: type

    def __init__(self, network, tables):
        self.network = network
        self.coder = self.symbol_coding(tables)

    @classmethod
    def build_tables(cls, network):
        """All integers that encoder and decoder must share, as a flat dict."""
        levels = Levels.of(network.coefficients)
        arrays = cls.table_arrays(network, levels.vectors)
        return join_arrays(levels=levels.to_arrays(), **arrays)

    @staticmethod
    def table_arrays(network, vectors):
        """{part: {name: array}} of the tables.

        Args:
            network: a built network.
            vectors: float32 [L, 1], the raw coefficient of each level.
        """
        raise NotImplementedError

    def analyze(self, image, coefficients):
        """Graph: uint8 [B, H, W, 3] and [B, 1] to int32 arrays, one for each code."""
        embedding = self.network.embedding(coefficients)
        image = pad_to_multiple(image, self.network.multiple)
        return self.rounded(*self.unrounded(image, embedding), embedding)

    def unrounded(self, image, embedding):
        """Graph: padded uint8 image to float32 arrays to be rounded, one a code.

        The last array holds the latents before the gain.
        """
        raise NotImplementedError

    def rounded(self, *codes_and_embedding):
        """Graph: what `unrounded` returns to int32 arrays, one for each code."""
        raise NotImplementedError

    def synthesize(self, *integers_and_coefficients):
        """Graph: the integers of `analyze` to a padded image, about [0, 1], float32."""
        raise NotImplementedError

    def latents(self, image, embedding):
        """Graph: padded uint8 image to latents before the gain, float32."""
        return self.network.analyze(ops.cast(image, "float32") / 255.0, embedding)

    def image(self, quantized, embedding):
        """Graph: quantised latents to a padded image, about [0, 1], float32."""
        return self.network.synthesize(quantized, embedding)
