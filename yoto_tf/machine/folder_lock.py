"""A folder that one process at a time works in."""

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


@contextlib.contextmanager
def folder_lock(folder: str | os.PathLike):
    """Locks a folder, made if need be; the end of the process releases it, too.

    After an error a folder that was made is taken away again, if nothing lies in it.

    Raises:
        DataError: somebody else holds it, or it cannot be written.
    """
    folder = Path(folder)
    made = _missing(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _acquired(folder)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        _release(folder, descriptor)
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    _release(folder, descriptor)


def _missing(folder):
    """The folders that are not there yet, the innermost first."""
    paths = [folder, *folder.parents]
    return [path for path in paths if not path.exists()]


def _acquired(folder):
    """The open lock file of a folder."""
    path, key = folder / _NAME, os.path.realpath(folder)
    with _changing:
        if key in _held:
            raise _in_use(folder, os.getpid())
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                _lock(descriptor)
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
                    warnings.warn(
                        f"{folder} cannot be locked ({error.strerror}): take care that "
                        "nothing else writes there",
                        stacklevel=4,
                    )
                    break
                holder = os.read(descriptor, 20).decode(errors="replace").strip()
                os.close(descriptor)
                raise _in_use(folder, holder) from error
            # Whoever held it before may have taken the file away meanwhile.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                    break
            os.close(descriptor)
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        _held.add(key)
    return descriptor


def _release(folder, descriptor):
    with _changing:
        with contextlib.suppress(OSError):
            (folder / _NAME).unlink()
        os.close(descriptor)
        _held.discard(os.path.realpath(folder))


def _in_use(folder, holder):
    return DataError(f"{folder} is in use by process {holder or '?'}")


def _lock(descriptor):
    if os.name == "nt":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        # Unlike those of flock, they pass to no child and work on network drives.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
