"""Random crops of small pictures held in memory."""

import numpy as np
from PIL import Image

from yoto_tf.data import Examples


class RandomCrops(Examples):
    """Endless shuffled batches of random crops, half of them mirrored.

    Args:
        images: uint8 [N, H, W, C], or float32 in [0, 1].
        size: (height, width) of a crop, at most (H, W).
        batch_size: crops in a batch.
        seed: integer >= 0; batch `i` depends on `seed` and `i` alone.
        first_batch: number of the first batch, for carrying on where a run stopped.

    Batches:
        `{"image": float32 [batch_size, height, width, C]}` in [0, 1].

    Raises:
        DataError: fewer images than a batch.
    """

    def __init__(self, images, size, batch_size, seed=0, first_batch=0):
        super().__init__(
            {"image": images}, batch_size, seed, shuffle=True, first_batch=first_batch
        )
        self.crop = tuple(size)

    def __getitem__(self, index):
        """Batch `first_batch + index`."""
        images = super().__getitem__(index)["image"]
        # The third number tells this stream from the one that orders an epoch.
        random = np.random.default_rng((self.seed, self.first_batch + index, 1))
        height, width = self.crop
        # Drawn for the whole batch, so that a part of it is as it is in the whole.
        count, rows = self.batch_size, self.places(self.batch_size)
        tops = random.integers(0, images.shape[1] - height + 1, count)[rows]
        lefts = random.integers(0, images.shape[2] - width + 1, count)[rows]
        mirrored = (random.random(count) < 0.5)[rows]
        batch = np.empty((len(images), height, width, images.shape[3]), images.dtype)
        choices = zip(batch, images, tops, lefts, mirrored, strict=True)
        for target, image, top, left, mirror in choices:
            crop = image[top : top + height, left : left + width]
            target[...] = crop[:, ::-1] if mirror else crop
        return {"image": batch}


def resized(images, side):
    """Enlarges pictures bilinearly: uint8 [N, H, W, 3] to [N, side, side, 3]."""
    enlarged = np.empty((len(images), side, side, images.shape[3]), "uint8")
    for target, image in zip(enlarged, images, strict=True):
        target[...] = Image.fromarray(image).resize((side, side), Image.BILINEAR)
    return enlarged
