"""An endless source of random patches of photographs."""

import warnings

import keras
import numpy as np

from yoto_tf.data.epochs import EpochOrders
from yoto_tf.data.numbered_files import NumberedFiles
from yoto_tf.data.parts import InParts
from yoto_tf.data.photographs import (
    MEMORY_BYTES,
    SCALES,
    Photographs,
    fit_into_memory,
)
from yoto_tf.data.shards import Shards, is_shards
from yoto_tf.data.sources import is_tfds
from yoto_tf.data.streamed_patches import StreamedPatches
from yoto_tf.errors import DataError
from yoto_tf.machine.remote import is_url


def random_patches(spec, size, batch_size, seed=0, first_batch=0):
    """Random patches of photographs: `Patches`, or `StreamedPatches` of many.

    Args:
        spec: for `Patches` a folder, glob or file whose photographs fit into memory, or
            `tfds:NAME[:SPLIT]`; for `StreamedPatches` files that do not fit, shards,
            see `Shards`, or a URL, see `NumberedFiles`.
        size, batch_size, seed, first_batch: see there.
    """
    if is_shards(spec):
        pictures = Shards(spec)
    elif is_url(spec) or not (is_tfds(spec) or fit_into_memory(spec)):
        pictures = NumberedFiles(spec)
    else:
        return Patches(spec, size, batch_size, seed, first_batch=first_batch)
    return StreamedPatches(pictures, size, batch_size, seed, first_batch=first_batch)


class Patches(InParts, keras.utils.PyDataset):
    """Random patches of photographs, for ever, as `x` of `model.fit` on any backend.

    In an epoch every photograph comes once, whatever its size, in random order; where
    one epoch ends the next begins, be it within a batch. Of a photograph, one of the
    scales at which a patch fits into it is drawn, then a position, both uniformly; half
    of the patches are mirrored. A patch depends on `seed`, the number of its batch and
    its place there alone. All of this holds when the photographs fit into
    `memory_bytes`; else an epoch is of those that are held at the time, and
    `random_patches` is the better choice for files. Photographs smaller than a patch
    are skipped with a warning.

    `model.fit(patches, steps_per_epoch=1000, shuffle=False)`: they are in random order
    already, and Keras would warn if it were to shuffle them. Iterating yields the same
    batches.

    Args:
        spec: folder, glob, file, or `tfds:NAME[:SPLIT]`; or `Photographs` at hand, with
            which `scales` and `memory_bytes` are not used.
        size: height and width of a patch in pixels.
        batch_size: patches in a batch.
        seed: integer >= 0.
        flip: whether half of the patches are mirrored left to right.
        scales: factors in (0, 1] at which the photographs are used.
        memory_bytes: how much decoded photographs may take, see `Photographs`.
        first_batch: number of the first batch, for carrying on where a run stopped.

    Batches:
        `{"image": float32 [batch_size, size, size, 3]}` in [0, 1].

    Attributes:
        skipped: how many photographs are smaller than a patch.

    Raises:
        DataError: no photograph is as large as a patch, or none can be read.
    """

    def __init__(
        self,
        spec,
        size=128,
        batch_size=4,
        seed=0,
        flip=True,
        scales=SCALES,
        memory_bytes=MEMORY_BYTES,
        first_batch=0,
    ):
        super().__init__()
        if size < 1 or batch_size < 1:
            raise ValueError(
                f"expected size and batch_size of at least 1, got {size} and "
                f"{batch_size}"
            )
        if not isinstance(spec, Photographs):
            spec = Photographs(spec, scales, memory_bytes, seed)
        self.photographs = spec
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.flip = flip
        self.first_batch = first_batch
        self._table = _Table(self.photographs.loaded, size, seed)
        self.skipped = self._table.skipped
        if not self._table.candidates:
            raise DataError(
                f"all {self.skipped} photographs are smaller than {size}x{size} pixels"
            )
        if self.skipped:
            warnings.warn(
                f"skipped {self.skipped} photographs smaller than {size}x{size} pixels",
                stacklevel=2,
            )

    def part(self, index, count):
        """As of all data sets in parts.

        Which photographs a process has of a set that memory does not hold depends on
        its clock.

        Raises:
            DataError: it is such a set.
        """
        if not self.photographs.complete and count > 1:
            raise DataError(
                f"{self.photographs.spec} does not fit into memory: for several "
                "processes expected a folder, shards (*.tar) or a URL, by "
                "`random_patches`"
            )
        return super().part(index, count)

    def with_shape(self, size=None, batch_size=None, first_batch=None):
        """The same photographs, not decoded again, in patches of another shape."""
        return Patches(
            self.photographs,
            size=self.size if size is None else size,
            batch_size=self.batch_size if batch_size is None else batch_size,
            seed=self.seed,
            flip=self.flip,
            first_batch=self.first_batch if first_batch is None else first_batch,
        )

    @property
    def num_batches(self):
        """None: Keras takes the data set as endless."""
        return None

    def __getitem__(self, index):
        """Batch `first_batch + index`."""
        size = self.size
        cuts = self.cuts(index)
        batch = np.empty((len(cuts), size, size, 3), np.float32)
        for patch, (image, top, left, is_mirrored) in zip(batch, cuts, strict=True):
            crop = image[top : top + size, left : left + size]
            np.multiply(crop[:, ::-1] if is_mirrored else crop, _UNIT, out=patch)
        self.photographs.use(self.batch_size * size * size)
        return {"image": batch}

    def cuts(self, index):
        """Where the patches of batch `first_batch + index` are cut.

        Returns:
            A list of (uint8 picture, top, left, whether it is mirrored).
        """
        table = self._current_table()
        index += self.first_batch
        # For the whole batch, so that a part of it is as it is in the whole.
        places = self.places(self.batch_size)
        chosen = table.orders.dealt(index * self.batch_size, self.batch_size)[places]
        random = np.random.default_rng((self.seed, index))
        draws = random.random((self.batch_size, 4))[places]
        cuts = []
        for candidate, (scale, top, left, mirror) in zip(chosen, draws, strict=True):
            images = table.candidates[candidate]
            image = images[int(scale * len(images))]
            top = int(top * (image.shape[0] - self.size + 1))
            left = int(left * (image.shape[1] - self.size + 1))
            cuts.append((image, top, left, bool(self.flip and mirror < 0.5)))
        return cuts

    def images(self):
        """The pictures that are large enough, at each of their scales."""
        return [
            image for images in self._current_table().candidates for image in images
        ]

    def resident(self):
        """`ResidentPatches`, or None where the photographs do not fit."""
        from yoto_tf.data.resident_patches import ResidentPatches

        return ResidentPatches(self) if ResidentPatches.fits(self) else None

    def __iter__(self):
        index = 0
        while True:
            yield self[index]
            index += 1

    def _current_table(self):
        if self._table.loaded is not self.photographs.loaded:
            table = _Table(self.photographs.loaded, self.size, self.seed)
            if table.candidates:
                self._table = table
        return self._table


_UNIT = np.float32(1 / 255)


class _Table:
    """Which of the loaded photographs are large enough, and in which order they come.

    Its `candidates` are photographs at the scales that are large enough.
    """

    def __init__(self, loaded, size, seed):
        self.loaded = loaded
        fitting = [
            [image for image in photograph if min(image.shape[:2]) >= size]
            for photograph in loaded
        ]
        self.candidates = [images for images in fitting if images]
        self.skipped = len(loaded) - len(self.candidates)
        self.orders = EpochOrders(len(self.candidates), seed, 2)
