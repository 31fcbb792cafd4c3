"""A folder or a file that one process at a time works with."""

import contextlib
import errno
import os
import threading
import warnings
from pathlib import Path

from yoto_tf.errors import DataError

_NAME = ".lock"
# A system's locks do not keep out other threads of the process that holds them.
_held, _changing = set(), threading.Lock()


class InUse(DataError):
    """Somebody else holds it."""


@contextlib.contextmanager
def folder_lock(folder: str | os.PathLike):
    """Locks a folder, made if need be; the end of the process releases it, too.

    After an error a folder that was made is taken away again, if nothing lies in it.

    Raises:
        InUse: somebody else holds it.
        DataError: it cannot be written.
    """
    folder = Path(folder)
    made = _missing(folder)
    try:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(f"cannot write {folder}: {error.strerror}") from error
        with file_lock(folder / _NAME, folder):
            yield
    except BaseException:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


@contextlib.contextmanager
def file_lock(path: Path, what):
    """Holds a lock file, which is there for as long as it is held.

    Args:
        path: the file; its folder must exist.
        what: the name, in errors, of what is locked.

    Raises:
        InUse: another process or thread holds it.
        DataError: it cannot be written.
    """
    try:
        descriptor = _acquired(path, what)
    except OSError as error:
        raise DataError(f"cannot write {what}: {error.strerror}") from error
    try:
        yield
    finally:
        _release(path, descriptor)


def _missing(folder):
    """The folders that are not there yet, the innermost first."""
    paths = [folder, *folder.parents]
    return [path for path in paths if not path.exists()]


def _acquired(path, what):
    """The open lock file."""
    key = os.path.realpath(path)
    with _changing:
        if key in _held:
            raise InUse(f"{what} is in use by process {os.getpid()}")
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(descriptor)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    warnings.warn(
                        f"{what} cannot be locked ({error.strerror}): take care that "
                        "nothing else writes there",
                        stacklevel=6,
                    )
                    break
                holder = os.read(descriptor, 20).decode(errors="replace").strip()
                os.close(descriptor)
                raise InUse(f"{what} is in use by process {holder or '?'}") from error
            # Whoever held it before may have taken the file away meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    break
            os.close(descriptor)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _held.add(key)
    return descriptor


def _release(path, descriptor):
    with _changing:
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(descriptor)
        _held.discard(os.path.realpath(path))


def _lock(descriptor):
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        # Unlike those of flock, they pass to no child and work on network drives.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
