"""Files that are written as a whole or not at all."""

import contextlib
import os
import re
import stat
from pathlib import Path

from yoto_tf.errors import DataError

# Where systems list the open files of a process. The entries look like links, but
# cannot be followed as links.
_OPEN_FILES = re.compile(r"/proc/(self|thread-self|\d+)(/task/\d+)?/fd|/dev/fd")
_MOST_LINKS = 40


@contextlib.contextmanager
def atomic_file(path: str | os.PathLike):
    """Gives a binary file to write, which takes its place when all is written.

    A failure or a kill leaves what was there before. A link stays and the file behind
    it is written; a file that exists keeps its mode and, where possible, its owner. A
    device, a pipe or what the process has open (`/dev/stdout`) is written to directly.

    Args:
        path: the file; its folder must exist.

    Raises:
        DataError: it cannot be written.
    """
    try:
        with _special_or_new(path) as file:
            yield file
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise DataError(f"cannot write {path}: {reason}") from error


def write_atomically(path: str | os.PathLike, content: bytes) -> None:
    """Writes all of a file, see `atomic_file`.

    Raises:
        DataError: it cannot be written.
    """
    with atomic_file(path) as file:
        file.write(content)


def is_special(path: str | os.PathLike) -> bool:
    """Whether a path is there and neither a regular file nor a folder."""
    if _descriptor(path) is not None:
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def check_writable(path: str | os.PathLike) -> None:
    """Refuses early what `atomic_file` would refuse after the work is done.

    Raises:
        DataError: the path is a folder, is read-only, or its folder does not exist or
            is read-only.
    """
    if _descriptor(path) is not None:
        return
    try:
        found = os.stat(path).st_mode
    except FileNotFoundError:
        found = None
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    if found is not None and stat.S_ISDIR(found):
        raise DataError(f"cannot write {path}: it is a folder, expected a file")
    if found is not None and not os.access(path, os.W_OK):
        raise DataError(f"cannot write {path}: it is read-only")
    if found is not None and not stat.S_ISREG(found):
        return
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        shown = folder if os.path.islink(path) else Path(path).parent
        raise DataError(f"cannot write {path}: there is no folder {shown}")
    if not os.access(folder, os.W_OK):
        raise DataError(f"cannot write {path}: the folder {folder} is read-only")


@contextlib.contextmanager
def _special_or_new(path):
    descriptor = _descriptor(path)
    if descriptor is not None:
        # A duplicate shares the position in the file, as a shell's redirection needs
        # it.
        with os.fdopen(os.dup(descriptor), "wb") as file:
            yield file
        return
    try:
        before = os.stat(path)
    except FileNotFoundError:
        before = None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(path, "wb") as file:
            yield file
        return
    if before is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "it is read-only")
    real = os.path.realpath(path)
    # Short, since the file's own name may be as long as names can be. Random, and
    # opened only if it is new: nobody can put a link there to have another file
    # written.
    temporary = os.path.join(os.path.dirname(real), f".{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if before is not None:
                _keep_owner_and_mode(temporary, before)
            yield file
        os.replace(temporary, real)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _keep_owner_and_mode(path, before):
    if hasattr(os, "chown"):
        # Only root gives files away.
        with contextlib.suppress(OSError):
            os.chown(path, before.st_uid, before.st_gid)
    os.chmod(path, stat.S_IMODE(before.st_mode))


def _descriptor(path):
    """The number of this process's open file that a path stands for, or None."""
    path = os.path.abspath(path)
    for _ in range(_MOST_LINKS):
        folder, name = os.path.split(path)
        folder = os.path.realpath(folder)
        match = _OPEN_FILES.fullmatch(folder)
        if match and name.isdecimal():
            own = match[1] in (None, "self", "thread-self", str(os.getpid()))
            return int(name) if own else None
        path = os.path.join(folder, name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))
    return None
