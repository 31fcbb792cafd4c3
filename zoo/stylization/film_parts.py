"""The finished parts of a film that is being written, which outlive an interruption.

    .NAME.parts/parts.json      what is made, and the first and last time of each part
    .NAME.parts/0.mp4, …        the parts, without sound

beside the file NAME that they become. The folder is gone when that is written.
"""

import contextlib
import json
import os
import warnings
from pathlib import Path

from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import atomic_file, write_atomically
from yoto_tf.machine.folder_lock import folder_lock

_RECORD = "parts.json"


class FilmParts:
    """Parts, in order; made by `film_parts`.

    Attributes:
        frames: how many they hold together.
        last: the time of their last frame, in the units of its video; None where there
            is none, or it is unknown.
    """

    def __init__(self, folder, job):
        self._folder, self._job, self._parts = folder, job, []

    def __len__(self):
        return len(self._parts)

    @property
    def frames(self):
        return sum(part["frames"] for part in self._parts)

    @property
    def last(self):
        return self._parts[-1]["last"] if self._parts else None

    def first(self, number):
        """The time of the first frame of a part, in the units of its video."""
        return self._parts[number]["first"]

    def next_file(self):
        """A context of the file to write the next part to."""
        return atomic_file(self._path(len(self)))

    def add(self, first, last, frames):
        """Records that the next part is written, with the times of its frames."""
        self._parts.append({"first": first, "last": last, "frames": frames})
        self._write()

    @contextlib.contextmanager
    def open(self, av, number):
        """A part as PyAV reads it."""
        with (
            open(self._path(number), "rb") as file,
            av.open(file, format="mp4") as read,
        ):
            yield read

    def find(self):
        """Takes what was recorded of the same job, and deletes that of another."""
        record = self._folder / _RECORD
        strange = set(os.listdir(self._folder)) - {".lock"}
        if not record.exists() and strange:
            raise DataError(f"{self._folder} is in the way: expected it to be empty")
        # A record that is damaged is begun anew.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            found = json.loads(record.read_text(encoding="utf-8"))
            # As it comes out of JSON.
            job = json.loads(json.dumps(self._job))
            self._parts = list(found["parts"])
            if self._job is None or found["job"] != job or not self._are_there():
                self.delete()
        self._write()

    def delete(self):
        """Deletes the parts and the record."""
        # One may have been written and not recorded.
        for number in range(len(self) + 1):
            self._path(number).unlink(missing_ok=True)
        (self._folder / _RECORD).unlink(missing_ok=True)
        self._parts = []

    def _are_there(self):
        return all(
            part["last"] is not None and self._path(number).is_file()
            for number, part in enumerate(self._parts)
        )

    def _path(self, number):
        return self._folder / f"{number}.mp4"

    def _write(self):
        text = json.dumps({"job": self._job, "parts": self._parts})
        write_atomically(self._folder / _RECORD, text.encode())


@contextlib.contextmanager
def film_parts(target, job):
    """The parts of a film, which nobody else works on meanwhile.

    They are deleted when the context ends well. After an interruption or an error they
    stay, if there are any, and a warning says so.

    Args:
        target: the file that they become.
        job: what must be the same for them to be gone on with, as JSON takes it; None
            for parts that are never gone on with.

    Yields:
        `FilmParts`.

    Raises:
        DataError: the folder cannot be written, is in use or holds something else.
    """
    target = Path(os.path.realpath(target))
    folder = target.with_name(f".{target.name}.parts")
    kept = False
    try:
        with folder_lock(folder):
            parts = FilmParts(folder, job)
            parts.find()
            try:
                yield parts
            except BaseException:
                kept = job is not None and len(parts) > 0
                if kept:
                    warnings.warn(
                        f"{parts.frames} frames of {target.name} are done: the same "
                        "command goes on from there",
                        stacklevel=4,
                    )
                raise
            finally:
                if not kept:
                    parts.delete()
    finally:
        if not kept:
            with contextlib.suppress(OSError):
                folder.rmdir()
