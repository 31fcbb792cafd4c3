"""Between a `Hyperprior` network and bytes."""

import numpy as np
from keras import ops

from yoto_tf import entropy
from yoto_tf.zoo.codec.integer_scales import IntegerScales
from yoto_tf.zoo.codec.levels import Levels
from yoto_tf.zoo.codec.network import channelwise
from yoto_tf.zoo.codec.padding import pad_to_multiple
from yoto_tf.zoo.release import join_arrays, split_arrays


class HyperpriorCoding:
    """The integers that encoder and decoder exchange, and their coding.

    Args:
        network: a built `Hyperprior`.
        tables: arrays as `build_tables` returns them.
    """

    def __init__(self, network, tables):
        self.network = network
        tables = split_arrays(tables)
        self.levels = Levels(**tables["levels"])
        self.scales = IntegerScales.from_arrays(tables["scales"])
        self.hyper_tables = entropy.CodingTables.from_arrays(tables["hyper_latents"])
        self.tables = entropy.CodingTables.from_arrays(tables["latents"])

    @staticmethod
    def build_tables(network):
        """All integers that encoder and decoder must share, as a flat dict."""
        levels = Levels.of(network.coefficients)
        embedding = network.embedding(ops.convert_to_tensor(levels.vectors))
        prior = network.prior.coding_tables(
            *map(ops.convert_to_numpy, network.prior_film.scale_and_shift(embedding))
        )
        return join_arrays(
            levels={"vectors": levels.vectors, "edges": levels.edges},
            scales=IntegerScales.from_network(network, levels.vectors).to_arrays(),
            hyper_latents=prior.to_arrays(),
            latents=network.conditional.coding_tables().to_arrays(),
        )

    def analyze(self, image, coefficients):
        """Graph: uint8 [B, H, W, 3] and [B, 1] to integers.

        Returns:
            int32 hyper-latents [B, h, w, N] and symbols [B, 4h, 4w, C].
        """
        network = self.network
        image = ops.cast(image, "float32") / 255.0
        embedding = network.embedding(coefficients)
        latents = network.analyze(pad_to_multiple(image, network.multiple), embedding)
        hyper_latents = ops.round(network.hyper_analyze(latents, embedding))
        mean = network.mean(hyper_latents, embedding)
        gain = channelwise(ops.exp(network.log_gain(embedding)))
        symbols = ops.round(latents * gain - mean)
        return ops.cast(hyper_latents, "int32"), ops.cast(symbols, "int32")

    def synthesize(self, hyper_latents, symbols, coefficients):
        """Graph: the integers of `analyze` to a padded image, about [0, 1], float32."""
        network = self.network
        embedding = network.embedding(coefficients)
        mean = network.mean(ops.cast(hyper_latents, "float32"), embedding)
        return network.synthesize(ops.cast(symbols, "float32") + mean, embedding)

    def write(self, hyper_latents, symbols, vector):
        """Integers of one image, without batch axis, to two byte strings."""
        level = self.levels.index(vector)
        indexes = self.scales(hyper_latents, level)
        return (
            entropy.encode(
                hyper_latents.ravel(),
                channel_indexes(hyper_latents.shape, level),
                self.hyper_tables,
            ),
            entropy.encode(symbols.ravel(), indexes.ravel(), self.tables),
        )

    def read(self, sections, rows, columns, vector):
        """What `write` wrote for an image of rows × columns blocks of 64×64 pixels.

        Raises:
            FormatError: bytes that `write` did not write.
        """
        level = self.levels.index(vector)
        shape = (rows, columns, self.network.hyper_filters)
        hyper_latents = entropy.decode(
            sections[0], channel_indexes(shape, level), self.hyper_tables
        ).reshape(shape)
        indexes = self.scales(hyper_latents, level)
        symbols = entropy.decode(sections[1], indexes.ravel(), self.tables)
        return hyper_latents, symbols.reshape(indexes.shape)


def channel_indexes(shape, level):
    """Flat indexes for values [h, w, C] with a table for each level and channel."""
    row = level * shape[-1] + np.arange(shape[-1], dtype="int32")
    return np.broadcast_to(row, shape).ravel()
