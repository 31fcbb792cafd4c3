"""Inputs that can be read once only."""

import os
import shutil
import stat
import tempfile

from yoto_tf.errors import DataError

# The most bytes that are read from a pipe: they are copied to the disk.
_LARGEST = 2**29


class NamedCopy(os.PathLike):
    """A file that messages call by the name of what it is a copy of.

    Args:
        path: of the file.
        name: of the original.
    """

    def __init__(self, path, name):
        self._path, self._name = os.fspath(path), name

    def __fspath__(self):
        return self._path

    def __str__(self):
        return self._name


class PipedFile(NamedCopy):
    """The content of a pipe, in a temporary file that lives as long as this object.

    Messages name the pipe.

    Args:
        pipe: the path, or the number of a file that is open.
        name: what messages call it; None for the path.

    Raises:
        DataError: it cannot be read or copied, or gives too much.
    """

    def __init__(self, pipe, name=None):
        name = name or os.fspath(pipe)
        try:
            self._copy = tempfile.NamedTemporaryFile()  # noqa: SIM115
            super().__init__(self._copy.name, name)
            # Closing the duplicate leaves the original open.
            opened = os.dup(pipe) if isinstance(pipe, int) else pipe
            with open(opened, "rb") as source:
                shutil.copyfileobj(_Bounded(source, name), self._copy)
            self._copy.flush()
        except OSError as error:
            raise DataError(f"cannot read {name}: {error.strerror}") from error


def standard_input():
    """A `PipedFile` of what this process is given.

    Raises:
        DataError: it cannot be read.
    """
    return PipedFile(0, "standard input")


def rereadable(path):
    """The path, or its `PipedFile` if it is a pipe."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return path
    piped = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
    return PipedFile(path) if piped else path


class _Bounded:
    def __init__(self, stream, name):
        self._stream, self._name, self._left = stream, name, _LARGEST

    def read(self, size):
        chunk = self._stream.read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise DataError(
                f"cannot read {self._name}: it gives more than {_LARGEST:,} bytes, "
                "expected a file"
            )
        return chunk
