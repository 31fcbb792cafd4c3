"""The exact choice of tables under a context, as a graph.

It gives the numbers of `IntegerContext` on every machine, see `exact_integers`. Weights
and activations have 8 bits, and no sum of theirs reaches 2**24.

Symbols and indexes of a pass are cells [4, B, h/2, w/2, C/4], as in
`yoto_tf.zoo.codec.network.context`.
"""

import numpy as np
from keras import ops

from yoto_tf.entropy.scale_table import NUM_SCALES
from yoto_tf.export.families.exact_integers import (
    as_phases,
    interleaved,
    looked_up,
    neighbourhoods,
    rescaled,
    zero_of,
)
from yoto_tf.zoo.codec.coding import context_symbol_coding
from yoto_tf.zoo.codec.coding.integer_context import (
    HYPER_LIMIT,
    LARGEST,
    MAGNITUDE_LIMIT,
)
from yoto_tf.zoo.codec.coding.quadtree import (
    GROUPS,
    PASSES,
    group_at,
    groups_around,
)
from yoto_tf.zoo.codec.network.context import (
    from_cells,
    join_passes,
    split_passes,
    to_cells,
)


def context_indexes(context, hyper_latents, symbols, level):
    """The tables of all symbols.

    Args:
        context: an `IntegerContext`.
        hyper_latents: int32 [B, h, w, N].
        symbols: int32 [B, 4h, 4w, C].
        level: int32 [B].

    Returns:
        int32 [B, 4h, 4w, C] in [0, 63].
    """
    graph = ContextGraph(context, hyper_latents, level)
    indexes = []
    for number, cells in enumerate(split_passes(symbols)):
        indexes.append(graph.indexes(number))
        if number < PASSES - 1:
            graph.know(number, cells)
    return join_passes(indexes)


def pass_indexes(context, number, hyper_latents, symbols, level):
    """`ContextSymbolCoding.pass_indexes` of a batch.

    Args:
        number: of the pass.
        symbols: int32 [B, 4h, 4w, C]; None for the first pass, which sees none.
        Others: see `context_indexes`.

    Returns:
        int32 [B, 4h, 4w, C/4].
    """
    graph = ContextGraph(context, hyper_latents, level)
    if number:
        for earlier, cells in enumerate(split_passes(symbols)[:number]):
            graph.know(earlier, cells)
    return from_cells(graph.indexes(number))


class ContextGraph:
    """Table indexes pass by pass, of all stripes of a batch of pictures.

    Args:
        context: an `IntegerContext`.
        hyper_latents: int32 [B, h, w, N].
        level: int32 [B].
    """

    def __init__(self, context, hyper_latents, level):
        self._arrays, self._level = context.arrays, level
        self._zero = zero_of(level)
        features = ops.clip(hyper_latents, -HYPER_LIMIT, HYPER_LIMIT)
        for layer in ("tower_0", "tower_1"):
            kernel = as_phases(self._arrays[f"{layer}/kernel"])
            sums = interleaved(self._convolved(features, kernel))
            sums = ops.cast(sums, "int64") * self._of_level(f"{layer}/multipliers")
            sums += self._of_level(f"{layer}/offsets")
            features = self._rescaled(sums, layer, LARGEST)
        self._features = to_cells(features)
        sums = ops.cast(self._convolved(features, self._arrays["base/kernel"]), "int64")
        sums = sums * self._int64("base/multipliers") + self._of_level("base/offsets")
        self._base = split_passes(sums)
        self._hidden = self._sums = None

    def indexes(self, number):
        """Table indexes of a pass: int32 cells in [0, 63].

        Every earlier pass must have been given to `know`.
        """
        result = self._base[number]
        if number:
            groups = _groups(number)
            places = self._int64("places")[number - 1, groups]
            hidden = self._sums * self._of_level("neighbours/multipliers")
            hidden += self._hidden + _for_classes(places)
            hidden = self._rescaled(hidden, "neighbours", LARGEST)
            sums = self._product(hidden, self._arrays["inner/kernel"])
            sums = sums * self._int64("inner/multipliers")
            sums += self._int64("inner/offsets")
            hidden = self._rescaled(sums, "inner", LARGEST)
            sums = self._product(hidden, self._arrays["outer/kernel"][groups])
            multipliers = self._int64("outer/multipliers")[groups]
            result = result + sums * _for_classes(multipliers)
        return self._rescaled(result, "base", NUM_SCALES - 1)

    def know(self, number, symbols):
        """Takes note of a pass's symbols, int32 cells."""
        magnitudes = ops.abs(ops.clip(symbols, -MAGNITUDE_LIMIT, MAGNITUDE_LIMIT))
        table = self._arrays["magnitudes"].astype("int32")
        known = _known_around(from_cells(ops.take(table, magnitudes)))
        kernel = self._arrays["neighbours/kernel"]
        depth, inner = kernel.shape[2] // GROUPS, kernel.shape[3]
        slices = kernel.reshape(9, GROUPS, depth, inner)
        kernels = [
            slices[np.arange(9), sum(groups_around(group), ())].reshape(-1, inner)
            for group in _groups(number)
        ]
        added = self._product(to_cells(known), np.stack(kernels))
        if number:
            self._sums = self._sums + added
            return
        self._sums = added
        hidden = self._product(self._features, self._arrays["features/kernel"])
        hidden = hidden * self._of_level("features/multipliers")
        self._hidden = hidden + self._of_level("neighbours/offsets")

    def _int64(self, name):
        return self._arrays[name].astype("int64")

    def _of_level(self, name):
        """What an array has for each example's level: int64 [B, 1, 1, channels]."""
        return ops.take(self._int64(name), self._level, axis=0)[:, None, None]

    def _rescaled(self, sums, name, largest):
        shift = int(self._arrays[f"{name}/shift"])
        return rescaled(sums, shift, largest, self._zero)

    def _convolved(self, features, kernel):
        """A 3×3 convolution, stride 1, zero padding: float32 of integers."""
        features = neighbourhoods(ops.cast(features, "float32"))
        matrix = kernel.reshape(-1, kernel.shape[-1])
        return ops.matmul(features, looked_up(matrix, self._zero))

    def _product(self, cells, kernel):
        """Cells times [I, O], or [4, I, O] of each class: int64 cells."""
        shape = ops.shape(cells)[:-1]
        inputs, outputs = kernel.shape[-2:]
        cells = ops.reshape(ops.cast(cells, "float32"), (4, -1, inputs))
        sums = ops.matmul(cells, looked_up(kernel, self._zero))
        return ops.cast(ops.reshape(sums, (*shape, outputs)), "int64")


def _groups(number):
    """The groups that the four classes code in a pass."""
    return [group_at(position_class, number) for position_class in range(4)]


def _for_classes(values):
    """[4, channels] of each class, to be broadcast over cells."""
    return values[:, None, None, None]


def stripe_rows(width):
    """Rows of latents in a stripe of the coder, of pictures so many latents wide."""
    positions = context_symbol_coding.STRIPE_POSITIONS
    return 4 * ops.maximum(positions // (4 * width), 1)


def _known_around(known):
    """As `neighbourhoods`, of what is known: the next stripe is not, for the last row.

    [B, h, w, I] to [B, h, w, 9I], float32.
    """
    _, height, width, channels = ops.shape(known)
    last = ops.mod(ops.arange(height) + 1, stripe_rows(width)) == 0
    below = np.arange(9 * channels) >= 6 * channels
    hidden = ops.logical_and(last[:, None, None], below)
    return ops.where(hidden, 0.0, neighbourhoods(ops.cast(known, "float32")))
