"""Patches of more pictures than memory holds, each picture read once an epoch."""

import threading
import warnings
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from yoto_tf.data.epochs import EpochOrders
from yoto_tf.data.parts import InParts
from yoto_tf.errors import DataError

_DECODERS = 4
# Batches before they are due at which pictures are read.
_AHEAD = 2
# Pictures of a place that follow one that cannot be used are tried in its stead.
_TRIES = 20


class StreamedPatches(InParts, keras.utils.PyDataset):
    """Random patches of pictures that are read one by one, for ever.

    Every place of a batch has pictures of its own: in an epoch the pictures, in random
    order, are dealt out to the places in turn, so that none comes twice. A place takes
    `uses` patches of a picture before it goes on to its next; half of the places change
    pictures at other batches than their neighbours. Where a batch has fewer places than
    that, a place has several pictures at a time and takes a patch of each in turn, so
    that `uses` patches that follow one another are of different pictures. A patch
    depends on the seed, the number of the batch and its place alone, and so does where
    a resumed training carries on.

    In place of a picture that cannot be read, or is smaller than a patch, the one that
    is dealt to the place next is taken, with a warning; only such a one comes again in
    the epoch.

    Args:
        pictures: has a length and a method `read(number)` that returns uint8
            `[height, width, 3]` or raises `DataError`, such as `Shards`.
        size: height and width of a patch in pixels.
        batch_size: patches in a batch; at most as many as there are pictures.
        seed: integer >= 0.
        flip: whether half of the patches are mirrored left to right.
        uses: patches of a picture in an epoch: reading a photograph takes longer than
            cutting a patch.
        first_batch: number of the first batch, for carrying on where a run stopped.

    Batches:
        `{"image": float32 [batch_size, size, size, 3]}` in [0, 1].

    Raises:
        DataError: fewer pictures than a batch; or, of a batch, that a place finds no
            picture that can be used.
    """

    def __init__(
        self, pictures, size=128, batch_size=4, seed=0, flip=True, uses=8, first_batch=0
    ):
        super().__init__()
        if len(pictures) < batch_size:
            raise DataError(
                f"expected at least {batch_size} pictures, one for each place of a "
                f"batch, got {len(pictures)}"
            )
        self.pictures = pictures
        self.size = size
        self.batch_size = batch_size
        self.seed = seed
        self.flip = flip
        self.uses = uses
        self.first_batch = first_batch
        # Pictures that a place has at a time.
        self._held = max(1, min(uses // batch_size, len(pictures) // batch_size))
        self._orders = EpochOrders(len(pictures), seed, 2)
        self._read = _ReadAhead(self._usable, self._held + _AHEAD)

    def with_shape(self, size=None, batch_size=None, first_batch=None):
        """The same pictures in patches of another shape."""
        batch_size = self.batch_size if batch_size is None else batch_size
        return StreamedPatches(
            self.pictures,
            self.size if size is None else size,
            min(batch_size, len(self.pictures)),
            self.seed,
            self.flip,
            self.uses,
            self.first_batch if first_batch is None else first_batch,
        )

    @property
    def num_batches(self):
        """None: Keras takes the data set as endless."""
        return None

    def __getitem__(self, index):
        """Batch `first_batch + index`."""
        index += self.first_batch
        places = range(self.batch_size)[self.places(self.batch_size)]
        images = self._read(
            [self._turn(index, place) for place in places],
            [self._turn(index + _AHEAD, place) for place in places],
        )
        draws = np.random.default_rng((self.seed, index)).random((self.batch_size, 3))
        batch = np.empty((len(places), self.size, self.size, 3), np.float32)
        for patch, image, place in zip(batch, images, places, strict=True):
            top, left, mirror = draws[place]
            top = int(top * (image.shape[0] - self.size + 1))
            left = int(left * (image.shape[1] - self.size + 1))
            crop = image[top : top + self.size, left : left + self.size]
            if self.flip and mirror < 0.5:
                crop = crop[:, ::-1]
            np.multiply(crop, _UNIT, out=patch)
        return {"image": batch}

    def __iter__(self):
        index = 0
        while True:
            yield self[index]
            index += 1

    def _turn(self, index, place):
        """Which column of the deal a place of a batch takes, and at which turn."""
        index, held = divmod(index, self._held)
        column = held * self.batch_size + place
        return column, (index + column % self.uses) // self.uses

    def number(self, column, turn):
        """The number of the picture that is dealt to a column at its turn."""
        columns = self._held * self.batch_size
        epoch, turn = divmod(turn, len(self.pictures) // columns)
        return int(self._orders(epoch)[turn * columns + column])

    def _usable(self, column, turn):
        """The picture of a column at its turn, or the next that can be used."""
        for ahead in range(_TRIES):
            number = self.number(column, turn + ahead)
            try:
                image = self.pictures.read(number)
                if min(image.shape[:2]) >= self.size:
                    return image
                problem = f"picture {number} is smaller than {self.size}x{self.size}"
            except DataError as error:
                problem = error
            warnings.warn(f"left out: {problem}", stacklevel=2)
        raise DataError(
            f"{_TRIES} pictures one after another cannot be used: {problem}"
        )


class _ReadAhead:
    """What a function returns, called in threads and before it is asked for.

    Args:
        function: what is called.
        kept: for how many calls of a batch, from the latest on, results are kept.
    """

    def __init__(self, function, kept):
        self._function = function
        self._kept = kept
        self._pool = ThreadPoolExecutor(_DECODERS)
        self._known = OrderedDict()
        self._changing = threading.Lock()

    def __call__(self, now, following):
        """The results of the calls `now`, once they are there."""
        with self._changing:
            calls = [*now, *following]
            for call in calls:
                if call not in self._known:
                    self._known[call] = self._pool.submit(self._function, *call)
                self._known.move_to_end(call)
            while len(self._known) > self._kept * len(now):
                self._known.popitem(last=False)
            futures = [self._known[call] for call in now]
        return [future.result() for future in futures]


_UNIT = np.float32(1 / 255)
