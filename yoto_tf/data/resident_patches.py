"""Patches that are cut on the accelerator, which holds the photographs."""

import keras
import numpy as np
from keras import ops

# Pixels are counted by 32-bit numbers.
_MOST_PIXELS = 2**31


class ResidentPatches(keras.utils.PyDataset):
    """The batches of `Patches`, as numbers that say where the patches are to be cut.

    The photographs are brought to the device once, as uint8. A batch is the same array
    each time, which is not copied, and some integers a patch; `cut`, called in the
    compiled step, makes of it what `Patches` makes on the processor, to the bit.

    Args:
        patches: `Patches` whose photographs are all in memory.

    Batches:
        `{"photographs": uint8 [pixels, 3], on the device, "cuts": int32 [B, 3]}`: the
        first pixel of a patch, the width of its picture, and whether it is mirrored.
    """

    def __init__(self, patches):
        super().__init__()
        self._patches = patches
        self.size = patches.size
        pixels, self._places, first = [], {}, 0
        for image in patches.images():
            self._places[id(image)] = first
            first += image.shape[0] * image.shape[1]
            pixels.append(image.reshape(-1, 3))
        self._pixels = ops.convert_to_tensor(np.concatenate(pixels))

    @staticmethod
    def fits(patches):
        """Whether the photographs of `Patches` are all there, and not too many."""
        pixels = (image.shape[0] * image.shape[1] for image in patches.images())
        return patches.photographs.complete and sum(pixels) < _MOST_PIXELS

    @property
    def num_batches(self):
        """None: Keras takes the data set as endless."""
        return None

    def __getitem__(self, index):
        """Batch `first_batch + index` of the patches."""
        cuts = [
            (
                self._places[id(image)] + top * image.shape[1] + left,
                image.shape[1],
                flip,
            )
            for image, top, left, flip in self._patches.cuts(index)
        ]
        return {"photographs": self._pixels, "cuts": np.array(cuts, "int32")}

    def __iter__(self):
        index = 0
        while True:
            yield self[index]
            index += 1

    def cut(self, batch):
        """The patches of a batch, `{"image": float32 [B, size, size, 3]}`."""
        first, width, flip = ops.unstack(batch["cuts"][..., None, None], axis=1)
        columns = ops.arange(self.size, dtype="int32")
        rows = columns[:, None] * width
        columns = ops.where(flip > 0, columns[::-1], columns)
        pixels = ops.take(batch["photographs"], first + rows + columns, axis=0)
        return {"image": ops.cast(pixels, "float32") * np.float32(1 / 255)}
