"""Folders that are written as a whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from yoto_tf.errors import DataError


@contextlib.contextmanager
def new_folder(path):
    """A temporary folder to write into, which becomes `path` at the end.

    After a failure all is as it was before. An empty folder that exists is filled, not
    replaced: it may be somebody's current folder, or a file system of its own.

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
        # On the same file system, within which a rename is atomic.
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
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
