"""The scales under a context, in integers: what chooses each symbol's table.

    hyper-latents ─ tower ─ features ─┬─ 3×3 ─────────────────────────────┐
                                      └─ 1×1 ─┐                           + ─ index
    magnitudes of known symbols ─ 3×3 ────────┴─ + ─ 1×1 ─ 1×1 (context) ─┘

As in `integer_scales`, for a network whose decoder needs it in four passes, so that it
has to be fast: weights of 8 bits, activations of 8 bits without a sign, and products in
float32. A channel's weights are rounded to such a unit that no sum of theirs, in
whatever order, leaves what float32 holds exactly, 2**24. What comes after a product is
computed in float64: floor((sum · multiplier + offset) / 2**shift), below 2**53.

Nothing here needs Keras, let alone a network.
"""

import dataclasses

import numpy as np

from yoto_tf.entropy.scale_table import NUM_SCALES
from yoto_tf.zoo.codec.coding.integer_convolutions import convolve, threads, upsample
from yoto_tf.zoo.codec.coding.quadtree import CLASSES, GROUPS, group_at, groups_around

# Hyper-latents beyond this are clipped for the purpose of predicting scales.
HYPER_LIMIT = 127
# The largest activation.
LARGEST = 255
# Symbols s enter as UNITS_PER_BIT · log2(1 + |s|), larger ones as this one.
MAGNITUDE_LIMIT = 255
UNITS_PER_BIT = 31
# How many rows of hyper-latents (before, after) its own a table index depends on; what
# it sees of symbols is not counted.
REACH = (2, 1)
# Positions whose activations a thread computes at a time.
_POSITIONS = 2**8
# {sum: the multipliers and offsets that share its shift}.
_SUMS = {
    "tower_0": ("tower_0/multipliers", "tower_0/offsets"),
    "tower_1": ("tower_1/multipliers", "tower_1/offsets"),
    "base": ("base/multipliers", "base/offsets", "outer/multipliers"),
    "neighbours": (
        "neighbours/multipliers",
        "neighbours/offsets",
        "features/multipliers",
        "places",
    ),
    "inner": ("inner/multipliers", "inner/offsets"),
}


@dataclasses.dataclass(frozen=True, eq=False)
class IntegerContext:
    """Hyper-latents and known symbols to table indexes, exactly.

    Attributes:
        arrays: {name: integer array}. Kernels are "tower_0" and "tower_1" [5, 5, I, O],
            "base" [3, 3, F, C], "neighbours" [3, 3, C, F], "features" [F, F], "inner"
            [F, F] and "outer" [4, F, C/4], each "…/kernel" with "…/multipliers" for
            levels or groups and outputs and, where it is the first of its sum,
            "…/offsets" and "…/shift"; "places" [3, 4, F] are offsets for pass and group
            and "magnitudes" [256] what stands for a symbol.
    """

    arrays: dict

    def __post_init__(self):
        computed = {}
        for name, array in self.arrays.items():
            part = name.rpartition("/")[2]
            computed[name] = array.astype("float32" if part == "kernel" else "float64")
        # Powers of two are exact, as multipliers and offsets remain.
        for first, names in _SUMS.items():
            factor = 2.0 ** -computed[f"{first}/shift"]
            for name in names:
                computed[name] *= factor
        depth = self.arrays["outer/kernel"].shape[-1]
        inner = self.arrays["inner/kernel"].shape[0]
        slices = computed["neighbours/kernel"].reshape(9, GROUPS, depth, inner)
        # For a position that codes a group, the slices of the groups around it.
        computed["around"] = [
            slices[np.arange(9), sum(groups_around(group), ())].reshape(-1, inner)
            for group in range(GROUPS)
        ]
        computed["magnitudes"] = self.arrays["magnitudes"].astype("float32")
        object.__setattr__(self, "_computed", computed)

    @property
    def channels(self):
        """C, of the latents."""
        return GROUPS * self.arrays["outer/kernel"].shape[-1]

    def part(self, hyper_latents, level, rows):
        """What all passes over some rows share.

        Args:
            hyper_latents: int array [h, w, N] of the whole picture.
            level: int, which row of the multipliers and offsets.
            rows: first and last of its rows.

        Returns:
            A `ContextPart` for rows 4 · first … 4 · last of the latents.
        """
        first, last = rows
        begin = max(first - REACH[0], 0)
        window = hyper_latents[begin : last + REACH[1]]
        features = np.clip(window, -HYPER_LIMIT, HYPER_LIMIT).astype("float32")
        with threads() as run:
            for layer in ("tower_0", "tower_1"):
                sums = upsample(features, self._computed[f"{layer}/kernel"], run)
                features = self._activated(layer, sums, level, run)
            base = convolve(features, self._computed["base/kernel"], run)
        kept = slice(4 * (first - begin), 4 * (last - begin))
        return ContextPart(self._computed, level, features[kept], base[kept])

    def _activated(self, layer, sums, level, run):
        height, width, depth = sums.shape
        sums = sums.reshape(-1, depth)
        multiplier = self._computed[f"{layer}/multipliers"][level]
        offset = self._computed[f"{layer}/offsets"][level]

        def activate(begin):
            part = sums[begin : begin + _POSITIONS]
            part[:] = _activations(part * multiplier + offset)

        run(activate, range(0, len(sums), _POSITIONS))
        return sums.reshape(height, width, depth)


class ContextPart:
    """Table indexes of some rows of a picture, pass by pass.

    Symbols and indexes of a pass are cells [4, h/2, w/2, C/4], the classes of positions
    first.

    Args:
        computed: the arrays of `IntegerContext`, kernels as float32.
        level: int.
        features: float32 [h, w, F], integers.
        base: float32 [h, w, C], integers.
    """

    def __init__(self, computed, level, features, base):
        self._computed = computed
        self._level = level
        self._base = np.stack([base[i::2, j::2] for i, j in CLASSES])
        _, height, width, channels = self._base.shape
        self._cells = (height, width)
        self._depth = channels // GROUPS
        cells = np.stack([features[i::2, j::2] for i, j in CLASSES])
        self._features = cells.reshape(4, height * width, -1)
        self._hidden = self._sums = None

    def indexes(self, number):
        """Table indexes of a pass: int32 cells in [0, 63].

        Every earlier pass must have been given to `know`.
        """
        height, width = self._cells
        result = np.empty((4, height * width, self._depth), "int32")
        base = self._base.reshape(4, height * width, -1)
        step = _POSITIONS

        def index(task):
            position_class, begin = task
            part = slice(begin, begin + step)
            result[position_class, part] = self._indexes(
                number,
                group_at(position_class, number),
                base[position_class, part],
                (position_class, part),
            )

        places = range(0, height * width, step)
        with threads() as run:
            run(index, [(c, begin) for c in range(4) for begin in places])
        return result.reshape(4, height, width, self._depth)

    def _indexes(self, number, group, base, place):
        arrays, level = self._computed, self._level
        channels = slice(self._depth * group, self._depth * (group + 1))
        result = base[:, channels] * arrays["base/multipliers"][channels]
        result += arrays["base/offsets"][level, channels]
        if number:
            hidden = self._sums[place] * arrays["neighbours/multipliers"][level]
            hidden += self._hidden[place]
            hidden += arrays["places"][number - 1, group]
            hidden = _activations(hidden) @ arrays["inner/kernel"]
            hidden = hidden * arrays["inner/multipliers"]
            hidden += arrays["inner/offsets"]
            corrections = _activations(hidden) @ arrays["outer/kernel"][group]
            result += corrections * arrays["outer/multipliers"][group]
        # Nothing is negative any more: becoming an integer rounds down.
        return np.clip(result, 0, NUM_SCALES - 1, out=result)

    def know(self, number, symbols, above=None):
        """Takes note of a pass's symbols.

        Args:
            number: of the pass.
            symbols: int cells.
            above: int [w, C/4], the same pass's symbols in the row above, as
                `last_row` returns them; None for none.
        """
        arrays = self._computed
        height, width = self._cells
        known = np.zeros((2 * height + 2, 2 * width + 2, self._depth), "float32")
        if above is not None:
            known[0, 1:-1] = _magnitudes(above, arrays)
        for (row, column), part in zip(CLASSES, symbols, strict=True):
            known[1 + row : -1 : 2, 1 + column : -1 : 2] = _magnitudes(part, arrays)
        if self._sums is None:
            shape = (*self._features.shape[:2], arrays["inner/kernel"].shape[0])
            self._sums = np.zeros(shape, "float32")
            self._hidden = np.empty(shape)
        step = max(_POSITIONS // width, 1)

        def add(task):
            position_class, begin = task
            end = min(begin + step, height)
            row, column = CLASSES[position_class]
            gathered = np.concatenate(
                [
                    known[
                        2 * begin + row + i : 2 * end + row + i : 2,
                        column + j : column + j + 2 * width : 2,
                    ]
                    for i in range(3)
                    for j in range(3)
                ],
                axis=-1,
            )
            kernel = arrays["around"][group_at(position_class, number)]
            place = (position_class, slice(begin * width, end * width))
            self._sums[place] += gathered.reshape(-1, len(kernel)) @ kernel
            if number == 0:
                hidden = self._features[place] @ arrays["features/kernel"]
                hidden = hidden * arrays["features/multipliers"][self._level]
                hidden += arrays["neighbours/offsets"][self._level]
                self._hidden[place] = hidden

        with threads() as run:
            run(add, [(c, begin) for c in range(4) for begin in range(0, height, step)])


def last_row(symbols):
    """The last row of positions in the cells of a pass: [w, C/4]."""
    *_, left, right = symbols
    row = np.stack([left[-1], right[-1]], axis=1)
    return row.reshape(-1, row.shape[-1])


def _activations(values):
    """Rounded down and limited to 0 … 255: float64, overwritten, to float32."""
    np.clip(values, 0, LARGEST, out=values)
    return np.floor(values, out=values).astype("float32")


def magnitude_table():
    """What stands for a symbol of each magnitude: uint8 [256]."""
    magnitudes = np.arange(MAGNITUDE_LIMIT + 1)
    return np.round(UNITS_PER_BIT * np.log2(1 + magnitudes)).astype("uint8")


def _magnitudes(symbols, arrays):
    # The absolute value of the smallest int32 is negative.
    clipped = np.clip(symbols, -MAGNITUDE_LIMIT, MAGNITUDE_LIMIT)
    return arrays["magnitudes"][np.abs(clipped)]
