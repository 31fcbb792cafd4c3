"""Files that are written as a whole or not at all."""

import contextlib
import os
from pathlib import Path

from yoto_tf.errors import DataError


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Writes a file; a failure or a kill leaves what was there before.

    Args:
        path: the file; its folder must exist. A device or pipe is written to directly.
        content: all of it.

    Raises:
        DataError: it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        try:
            temporary.write_bytes(content)
            os.replace(temporary, path)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error


def check_writable(path: str | os.PathLike) -> None:
    """Refuses early what `write_atomically` would refuse after the work is done.

    Raises:
        DataError: the path is a folder, or its folder does not exist or is read-only.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"cannot write {path}: it is a folder, expected a file")
    if not path.parent.is_dir():
        raise DataError(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK) and not path.exists():
        raise DataError(f"cannot write {path}: the folder {path.parent} is read-only")
