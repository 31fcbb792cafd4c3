"""Pictures too large for the memory through a codec's network, without a seam.

The transforms run one after the other, each in tiles. Between them only the latents of
the whole picture are held, and no map inside of a transform, which is larger.

    picture ─ analysis ─ latents ─┬─ hyper-analysis ─ hyper-latents ─┐
                                  └─────────── symbols ◄── mean ─────┤
    picture ◄─ synthesis ─ quantized latents ◄─ symbols + mean ──────┘
"""

import numpy as np
from keras import ops

from yoto_tf.machine.compilation import compiled
from yoto_tf.zoo.codec.tiling.tiles import EdgePadded, TiledGraph

# How many places (before, after) its own a place of the hyper-latents reaches: the two
# 5×5 convolutions of the hyper-analysis look 4 latents before a block of 4 and 7 after
# it. Transposed it is the other way round.
HYPER_ANALYSIS_REACH = (1, 2)
HYPER_SYNTHESIS_REACH = (2, 1)
# Symbols of the last of four passes depend on latents three places away, in the next
# block of 4 and so on that block's mean.
CONTEXT_REACH = (3, 2)


def to_pixels(image):
    """Graph: about [0, 1] to uint8."""
    return ops.cast(ops.round(ops.clip(image * 255.0, 0.0, 255.0)), "uint8")


def of_coefficients(network, function):
    """A graph of maps and an embedding, as one of maps and coefficients [1, K]."""

    def graph(*maps_and_vector):
        *maps, vector = maps_and_vector
        return function(*maps, network.embedding(vector))

    return graph


class _TiledNetwork:
    """The base of the tiled networks."""

    def fits_at_once(self, height, width):
        """Whether a picture is small enough to be one tile."""
        return height * width <= 16**2 * self._analysis.area

    def analyze(self, image, vector):
        """Picture uint8 [H, W, 3] to a list of integer arrays, without batch axis."""
        return self.rounded(self.unrounded(image, vector), vector)


class TiledFactorizedPrior(_TiledNetwork):
    """What a `FactorizedCoding` analyses and synthesises, in bounded memory.

    Args:
        coding: the `FactorizedCoding`.
    """

    def __init__(self, coding):
        network = coding.network
        self._channels = network.filters[-1]
        self._analysis = TiledGraph(
            of_coefficients(network, coding.latents),
            network.analysis.reach,
            network.analysis.largest_map,
        )
        self._rounded = compiled(of_coefficients(network, coding.rounded))
        self._synthesis = TiledGraph(
            lambda symbols, vector: to_pixels(coding.synthesize(symbols, vector)),
            network.synthesis.reach,
            network.synthesis.largest_map,
        )

    def unrounded(self, image, vector):
        """Picture uint8 [H, W, 3] to [float32 latents], without batch axis."""
        image = EdgePadded(image, 16)
        rows, columns = (side // 16 for side in image.shape[:2])
        latents = np.empty((rows, columns, self._channels), "float32")
        self._analysis.run([image], latents, vector)
        return [latents]

    def rounded(self, codes, vector):
        """What `unrounded` returns to a list of integer arrays."""
        inputs = (ops.convert_to_tensor(x[None]) for x in (*codes, vector))
        return [ops.convert_to_numpy(array)[0] for array in self._rounded(*inputs)]

    def synthesize(self, integers, vector):
        """Integer arrays, which are overwritten, to a padded uint8 picture."""
        [symbols] = integers
        return _painted(self._synthesis, symbols, vector)


class TiledHyperprior(_TiledNetwork):
    """What a `HyperpriorCoding` analyses and synthesises, in bounded memory.

    Args:
        coding: the `HyperpriorCoding`.

    Attributes:
        parts: {name: `TiledGraph`}: "analysis", "hyper_analysis", "symbols",
            "quantized" and "synthesis", in the order in which they run.
    """

    _symbols_reach = HYPER_SYNTHESIS_REACH
    # How many times as much memory as its largest map the choice of symbols takes.
    _maps = 1

    def __init__(self, coding):
        network = coding.network
        self._channels = network.filters[-1]
        self._hyper_channels = network.hyper_filters
        image = of_coefficients(network, coding.image)
        # The largest map is that of the latents.
        values = 4**2 * max(self._channels, self._hyper_channels)
        self.parts = {
            "analysis": TiledGraph(
                of_coefficients(network, coding.latents),
                network.analysis.reach,
                network.analysis.largest_map,
            ),
            "hyper_analysis": TiledGraph(
                of_coefficients(network, network.hyper_analyze),
                HYPER_ANALYSIS_REACH,
                values,
            ),
            "symbols": TiledGraph(
                of_coefficients(network, coding.symbols),
                self._symbols_reach,
                values * self._maps,
            ),
            "quantized": TiledGraph(
                of_coefficients(network, coding.quantized),
                HYPER_SYNTHESIS_REACH,
                values * self._maps,
            ),
            "synthesis": TiledGraph(
                lambda quantized, vector: to_pixels(image(quantized, vector)),
                network.synthesis.reach,
                network.synthesis.largest_map,
            ),
        }
        self._analysis = self.parts["analysis"]

    def unrounded(self, image, vector):
        """Picture uint8 [H, W, 3] to float32 arrays to be rounded, without batch axis.

        Returns:
            [hyper-latents, latents before the gain].
        """
        image = EdgePadded(image, 64)
        rows, columns = (side // 64 for side in image.shape[:2])
        latents = np.empty((4 * rows, 4 * columns, self._channels), "float32")
        hyper_latents = np.empty((rows, columns, self._hyper_channels), "float32")
        self._analysis.run([image], latents, vector)
        self.parts["hyper_analysis"].run([latents], hyper_latents, vector)
        return [hyper_latents, latents]

    def rounded(self, codes, vector):
        """Rounds what `unrounded` returns, in place; a list of integer arrays."""
        hyper_latents, latents = codes
        hyper_latents = np.rint(hyper_latents).astype("int32")
        # A latent's symbol takes its place.
        symbols = latents.view("int32")
        self.parts["symbols"].run([latents, hyper_latents], symbols, vector)
        return [hyper_latents, symbols]

    def synthesize(self, integers, vector):
        """Integer arrays, which are overwritten, to a padded uint8 picture."""
        hyper_latents, symbols = integers
        quantized = symbols.view("float32")
        self.parts["quantized"].run([hyper_latents, symbols], quantized, vector)
        return _painted(self.parts["synthesis"], quantized, vector)


class TiledContextHyperprior(TiledHyperprior):
    """What a `ContextCoding` analyses and synthesises, in bounded memory.

    Once all symbols are known, means look no further than without a context.

    Args:
        coding: the `ContextCoding`.
    """

    _symbols_reach = CONTEXT_REACH
    # Maps of four passes are held until they are joined.
    _maps = 2


def _painted(synthesis, latents, vector):
    rows, columns = latents.shape[:2]
    image = np.empty((16 * rows, 16 * columns, 3), "uint8")
    synthesis.run([latents], image, vector)
    return image
