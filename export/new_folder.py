"""Folders that are written as a whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from yoto_tf.errors import DataError


@contextlib.contextmanager
def new_folder(path):
    """Gives a temporary folder to write into, which takes its place in the end.

    After a failure there is nothing, and what was there before is left as it was. An
    empty folder stays the one that it is, and gets the content: it may be somebody's
    current one, or another file system.

    Args:
        path: the folder to be. It may exist if it is empty; its parents are made.

    Raises:
        DataError: it is a file or holds something, or cannot be made.
    """
    path = Path(path)
    try:
        if path.is_dir() and any(path.iterdir()):
            raise DataError(f"{path} is not empty, expected a new folder to write")
        if path.exists() and not path.is_dir():
            raise DataError(f"{path} is a file, expected a new folder to write")
        exists = path.exists()
        if not exists:
            path.parent.mkdir(parents=True, exist_ok=True)
        # Near it, since only within one file system things move at once.
        near = path if exists else path.parent
        temporary = Path(tempfile.mkdtemp(prefix=".", dir=near))
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    try:
        yield temporary
        if exists:
            for entry in list(temporary.iterdir()):
                os.replace(entry, path / entry.name)
        else:
            # Others may read what is made for a server.
            os.chmod(temporary, 0o777 & ~_umask())
            os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask():
    # It can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
