"""Decoded photographs in memory, all of a set or a part of it that rotates."""

import threading
import warnings
import weakref
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from yoto_tf.data.images import image_files, open_picture, picture_errors, read_image
from yoto_tf.data.sources import images_from_tfds, is_tfds
from yoto_tf.errors import DataError, printable
from yoto_tf.machine.progress import progress_bar

_DECODERS = 4
# The factors at which photographs are used.
SCALES = (1.0, 0.7, 0.5)
MEMORY_BYTES = 2 << 30


def fit_into_memory(spec, scales=SCALES, memory_bytes=MEMORY_BYTES):
    """Whether `Photographs` would hold all pictures, by what their headers say.

    Args:
        spec: folder, glob or file; for the others see `Photographs`.
    """
    area = sum(scale**2 for scale in scales)
    left = memory_bytes
    for path in image_files(spec):
        try:
            with picture_errors(path), open_picture(path) as image:
                left -= 3 * image.width * image.height * area
        # `Photographs` says what is left out.
        except DataError:
            continue
        if left < 0:
            return False
    return True


class Photographs:
    """Photographs kept in memory as uint8, each at several scales.

    A set larger than `memory_bytes` is held in part: whenever as many pixels have been
    used (see `use`) as a newly decoded photograph has, a background thread puts that
    photograph in the place of the oldest. Files that cannot be read are left out with
    a warning.

    Args:
        spec: folder, glob or file (see `image_files`), or `tfds:NAME[:SPLIT]`.
        scales: factors in (0, 1] by which each photograph is reduced (antialiased).
        memory_bytes: how much decoded photographs may take; one is always held.
        seed: of the order in which the files of a larger set are read.

    Attributes:
        spec: as above.
        loaded: a tuple of photographs, each a tuple of uint8 `[height, width, 3]`, one
            a scale, in the order of `scales`. Replaced as a whole, never changed.
        complete: whether the whole set is loaded.
        unreadable: the `DataError`s of files left out at the start.

    Raises:
        DataError: no photograph could be read; or, in `use`, none can be read any more.
        ValueError: a scale is outside (0, 1].
    """

    def __init__(self, spec, scales=(1.0,), memory_bytes=MEMORY_BYTES, seed=0):
        if not scales or not all(0 < scale <= 1 for scale in scales):
            raise ValueError(f"expected scales in (0, 1], got {scales}")
        self.spec = spec
        self.scales = tuple(scales)
        self.memory_bytes = memory_bytes
        self.unreadable = []
        self._used_pixels = 0
        self._used = threading.Condition()
        self._failed = None

        stream = _stream(spec, self.scales, np.random.default_rng(seed))
        loaded, size = [], 0
        with progress_bar(
            description=printable(f"Loading {spec}"),
            total=None if is_tfds(spec) else len(image_files(spec)),
            unit="photo",
        ) as progress:
            for photograph in stream:
                if photograph is _END_OF_PASS:
                    break
                progress.update()
                if isinstance(photograph, DataError):
                    self.unreadable.append(photograph)
                    continue
                size += _bytes(photograph)
                loaded.append(photograph)
                if size >= memory_bytes:
                    break
        if not loaded:
            raise DataError(
                f"no readable photograph in {spec}"
                + "".join(f"; {error}" for error in self.unreadable[:1])
            )
        if self.unreadable:
            warnings.warn(
                f"left out {len(self.unreadable)} files, the first: "
                f"{self.unreadable[0]}",
                stacklevel=2,
            )
        self.loaded = tuple(loaded)
        self.complete = photograph is _END_OF_PASS
        if not self.complete:
            threading.Thread(
                target=_rotate, args=(weakref.ref(self), stream), daemon=True
            ).start()

    def use(self, pixels):
        """Says that `pixels` pixels were used, which sets the pace of rotation.

        Raises:
            DataError: in a whole pass no file could be read.
        """
        if self._failed is not None:
            raise self._failed
        if not self.complete:
            with self._used:
                self._used_pixels += pixels
                self._used.notify()

    def _replace_oldest(self, photograph):
        loaded = deque(self.loaded)
        loaded.append(photograph)
        size = sum(map(_bytes, loaded))
        while size > self.memory_bytes and len(loaded) > 1:
            size -= _bytes(loaded.popleft())
        self.loaded = tuple(loaded)

    def _fail(self, error):
        self._failed = error

    def _wait_until_used(self, pixels, seconds):
        with self._used:
            if self._used_pixels < pixels:
                self._used.wait(seconds)
            if self._used_pixels < pixels:
                return False
            self._used_pixels -= pixels
            return True


def _rotate(reference, stream):
    # The first pass is under way already, and photographs were read in it.
    found, last = True, None
    try:
        for photograph in stream:
            if photograph is _END_OF_PASS:
                if not found:
                    raise DataError(f"no photograph can be read any more: {last}")
                found = False
                continue
            if isinstance(photograph, DataError):
                last = photograph
                continue
            found = True
            pixels = photograph[0].shape[0] * photograph[0].shape[1]
            replaced = False
            while not replaced:
                # Held only for moments, so that the photographs can be freed meanwhile.
                photographs = reference()
                if photographs is None:
                    return
                replaced = photographs._wait_until_used(pixels, seconds=0.2)
                if replaced:
                    photographs._replace_oldest(photograph)
                del photographs
    except RuntimeError:
        # Python is exiting and starts no new jobs.
        return
    # Files can fail in any way. The training that uses them is told by `use`.
    except Exception as error:
        photographs = reference()
        if photographs is not None:
            photographs._fail(
                error
                if isinstance(error, DataError)
                else DataError(f"no photograph can be read any more: {error}")
            )


_END_OF_PASS = object()


def _stream(spec, scales, generator):
    """Yields photographs or `DataError`s for ever, `_END_OF_PASS` after each pass."""

    def decode(path):
        try:
            return _at_scales(read_image(path), scales)
        except DataError as error:
            return error

    while True:
        if is_tfds(spec):
            for image in images_from_tfds(spec):
                yield _at_scales(np.ascontiguousarray(image), scales)
        else:
            files = image_files(spec)
            generator.shuffle(files)
            with ThreadPoolExecutor(_DECODERS) as pool:
                # At most one decoded photograph a thread waits for the consumer.
                pending = deque()
                for path in files:
                    pending.append(pool.submit(decode, path))
                    if len(pending) > _DECODERS:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
        yield _END_OF_PASS


def _at_scales(image, scales):
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    return tuple(
        image
        if scale == 1
        else np.asarray(
            picture.resize(
                (max(1, round(width * scale)), max(1, round(height * scale))),
                Image.Resampling.LANCZOS,
            )
        )
        for scale in scales
    )


def _bytes(photograph):
    return sum(image.nbytes for image in photograph)
