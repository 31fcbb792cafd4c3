"""Corrects what the hyperprior says of a latent by latents that are known already.

    known maps of earlier passes ─ conv 3×3 ─┐
    features of the hyper-synthesis ─ 1×1 ───┴─ + ─ FiLM ─ ReLU ─ 1×1 ─ ReLU ─ 1×1

One network serves all passes of `quadtree`; what it knows of pass and group is a bias.
The convolution is linear: each pass adds what the newly known quarter contributes, with
those slices of the kernel that belong to the groups around a position. In the first
pass nothing is known, and nothing is corrected.

Maps are held as cells here: [4, B, h/2, w/2, C], the four classes of positions first.
"""

import keras
from keras import layers, ops

from yoto_tf.layers import FiLM
from yoto_tf.zoo.codec.coding.quadtree import (
    CLASSES,
    GROUPS,
    PASSES,
    group_at,
    groups_around,
    pass_of,
)
from yoto_tf.zoo.codec.network.ranged_relu import RangedReLU
from yoto_tf.zoo.codec.network.residual_transforms import depth_to_space


class QuadtreeContext(layers.Layer):
    """A correction for each symbol of a pass.

    It starts as zero.

    Args:
        channels: C of the latents, a multiple of four.
        filters: F, channels of the inner maps.
        conditioned: whether FiLM reads the embedding.
        ranged: whether it keeps the range of its inner maps, to be rounded to.
    """

    def __init__(self, channels, filters=128, conditioned=True, ranged=False, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels
        self.filters = filters
        relu = RangedReLU if ranged else layers.ReLU
        self.hidden, self.inner = relu(name="hidden"), relu(name="inner")
        self.film = (
            FiLM(kernel_initializer="zeros", name="film") if conditioned else None
        )

    def build(self, features_shape, embedding_shape):
        inner, depth = self.filters, self.channels // GROUPS
        self.neighbours = self.add_weight(
            shape=(3, 3, self.channels, inner),
            initializer="glorot_uniform",
            name="neighbours",
        )
        self.features = self.add_weight(
            shape=(features_shape[-1], inner),
            initializer="glorot_uniform",
            name="features",
        )
        self.places = self.add_weight(
            shape=(PASSES - 1, GROUPS, inner),
            initializer="zeros",
            # It is added to FiLM's shift, which is float32 in every precision.
            autocast=False,
            name="places",
        )
        self.inner_kernel = self.add_weight(
            shape=(inner, inner),
            initializer=keras.initializers.VarianceScaling(2.0),
            name="inner_kernel",
        )
        self.inner_bias = self.add_weight(
            shape=(inner,), initializer="zeros", name="inner_bias"
        )
        self.outer_kernel = self.add_weight(
            shape=(GROUPS, inner, depth), initializer="zeros", name="outer_kernel"
        )
        for activation in (self.hidden, self.inner):
            activation.build((None, None, None, None, inner))
        if self.film is not None:
            self.film.build((*features_shape[:-1], inner), embedding_shape)

    def start(self, features):
        """What the hyperprior alone contributes: cells [4, B, h/2, w/2, F]."""
        features = ops.cast(features, self.compute_dtype)
        return _dense(to_cells(features), ops.cast(self.features, self.compute_dtype))

    def add(self, sums, known, number):
        """Adds what a pass has made known.

        Args:
            sums: cells [4, B, h/2, w/2, F].
            known: cells [4, B, h/2, w/2, C/4] of that pass.
            number: of that pass, from 0 to 2.

        Returns:
            The new sums.
        """
        dtype = self.compute_dtype
        known = ops.pad(
            from_cells(ops.cast(known, dtype)), ((0, 0), (1, 1), (1, 1), (0, 0))
        )
        height, width = (side - 1 for side in ops.shape(known)[1:3])
        kernels = [ops.cast(self._kernel(group), dtype) for group in range(GROUPS)]
        added = [
            ops.conv(
                known[:, row : row + height, column : column + width],
                kernels[group_at(position_class, number)],
                strides=2,
                padding="valid",
            )
            for position_class, (row, column) in enumerate(CLASSES)
        ]
        return sums + ops.stack(added)

    def correction(self, sums, number, embedding):
        """The corrections of a pass from 1 to 3: cells [4, B, h/2, w/2, C/4]."""
        dtype = self.compute_dtype
        groups = [group_at(position_class, number) for position_class in range(4)]
        places = ops.take(self.places[number - 1], groups, axis=0)
        shift = places[:, None]
        if self.film is not None:
            scale, film_shift = self.film.scale_and_shift(embedding)
            sums = sums * ops.cast(scale, dtype)[None, :, None, None]
            shift = shift + film_shift
        hidden = self.hidden(sums + ops.cast(shift, dtype)[:, :, None, None])
        hidden = _dense(hidden, ops.cast(self.inner_kernel, dtype))
        hidden = self.inner(hidden + ops.cast(self.inner_bias, dtype))
        shape = ops.shape(hidden)[:-1]
        # Not `take`, whose gradient TensorFlow makes sparse.
        kernels = ops.stack([self.outer_kernel[group] for group in groups])
        outputs = ops.matmul(
            ops.reshape(hidden, (GROUPS, -1, self.filters)), ops.cast(kernels, dtype)
        )
        outputs = ops.cast(outputs, "float32")
        return ops.reshape(outputs, (*shape, self.channels // GROUPS))

    def _kernel(self, group):
        """The kernel's slices for a position that codes a group: [3, 3, C/4, F]."""
        depth = self.channels // GROUPS
        slices = ops.reshape(self.neighbours, (9 * GROUPS, depth, self.filters))
        rows = sum(groups_around(group), ())
        places = [GROUPS * tap + source for tap, source in enumerate(rows)]
        return ops.reshape(
            ops.take(slices, places, axis=0), (3, 3, depth, self.filters)
        )


def _dense(features, kernel):
    """[..., I] times [I, O], as one product of matrices."""
    shape = ops.shape(features)[:-1]
    outputs = ops.matmul(ops.reshape(features, (-1, kernel.shape[0])), kernel)
    return ops.reshape(outputs, (*shape, kernel.shape[1]))


def to_cells(maps):
    """[B, h, w, C], h and w even, to cells [4, B, h/2, w/2, C]."""
    return ops.stack([maps[:, row::2, column::2] for row, column in CLASSES])


def from_cells(cells):
    """The inverse of `to_cells`."""
    return depth_to_space(ops.concatenate(ops.unstack(cells, GROUPS), axis=-1), 2)


def split_passes(maps):
    """[B, h, w, C] to a list of four cells [4, B, h/2, w/2, C/4], one for each pass."""
    depth = maps.shape[-1] // GROUPS
    cells = to_cells(maps)
    return [
        ops.stack(
            [
                cells[position_class][..., depth * group : depth * (group + 1)]
                for position_class in range(4)
                for group in [group_at(position_class, number)]
            ]
        )
        for number in range(PASSES)
    ]


def join_passes(passes):
    """The inverse of `split_passes`."""
    return from_cells(
        ops.stack(
            [
                ops.concatenate(
                    [
                        passes[pass_of(position_class, group)][position_class]
                        for group in range(GROUPS)
                    ],
                    axis=-1,
                )
                for position_class in range(4)
            ]
        )
    )
