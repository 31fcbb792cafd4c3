"""Folders, on a disk or behind a URL that fsspec knows."""

import contextlib
import dataclasses
import os
import posixpath
import shutil
from pathlib import Path

from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import atomic_file, write_atomically
from yoto_tf.machine.remote import file_system, is_url, refused


@dataclasses.dataclass(frozen=True)
class Place:
    """A folder, or a file or a glob, wherever it lies. It can be pickled.

    Args:
        url: an absolute path, or a URL such as `s3://BUCKET/FOLDER`; `place` makes one
            of what a user gives.
    """

    url: str

    @property
    def is_local(self):
        """Whether it lies on a disk of this machine, or one that it has mounted."""
        return not is_url(self.url)

    @property
    def fs(self):
        """fsspec's file system, of which it keeps one."""
        return self._resolved[0]

    @property
    def path(self):
        """What the file system calls it."""
        return self._resolved[1]

    @property
    def _resolved(self):
        try:
            return file_system(self.url)
        except (ImportError, ValueError) as error:
            raise refused("open", self.url, error) from error

    def name_of(self, path):
        """How a path of the file system is shown: with its protocol, unless local."""
        return path if self.is_local else self.fs.unstrip_protocol(path)

    def names(self, folder=""):
        """The names of the files in a folder below it; empty if there is none."""
        try:
            found = self.fs.ls(posixpath.join(self.path, folder), detail=True)
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise refused("list", self.url, error) from error
        return frozenset(
            posixpath.basename(info["name"]) for info in found if info["type"] == "file"
        )

    def write(self, name, content):
        """Writes a file, as a whole or not at all.

        Args:
            name: its path below the place, whose folders are made.
            content: bytes.

        Raises:
            DataError: it cannot be written.
        """
        if self.is_local:
            write_atomically(self._new_local(name), content)
            return
        with _writing(self, name):
            # A store shows an object when all of it has come.
            self.fs.pipe_file(posixpath.join(self.path, name), content)

    def put(self, name, file):
        """As `write`, with the content of an open local file, from its start."""
        file.seek(0)
        if self.is_local:
            with atomic_file(self._new_local(name)) as target:
                shutil.copyfileobj(file, target, 2**20)
            return
        with _writing(self, name):
            self.fs.put_file(file.name, posixpath.join(self.path, name))

    def remove(self, name):
        """Removes a file below it.

        Raises:
            DataError: it cannot be removed.
        """
        with _writing(self, name):
            self.fs.rm_file(posixpath.join(self.path, name))

    def _new_local(self, name):
        path = Path(self.url, name)
        with _writing(self, name):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path


def place(spec):
    """The `Place` of what a user gives: a path, or a URL with `://`.

    Raises:
        DataError: it is empty, or of a protocol that fsspec does not know, or for which
            a package is missing.
    """
    spec = os.fspath(spec)
    if not spec:
        raise DataError("expected the name of a file or folder, got ''")
    local = spec.removeprefix("file://")
    if not is_url(local):
        return Place(os.path.abspath(os.path.expanduser(local)))
    found = Place(spec.rstrip("/"))
    found.fs  # noqa: B018, it raises
    return found


@contextlib.contextmanager
def _writing(place, name):
    """Puts whatever a file system of fsspec's raises into a `DataError`."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        shown = posixpath.join(place.url, name)
        raise refused("write", shown, error) from error
