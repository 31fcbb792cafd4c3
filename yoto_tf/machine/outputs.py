"""Which file may be written: never one that is read, nor one of another kind."""

import fnmatch
import glob
import os
from pathlib import Path

from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import check_writable, is_special


def check_output(path, suffixes, expected, sources=(), read=None):
    """Refuses an output before any work is done for it.

    A regular file that exists may be replaced. Devices and pipes may have any name.

    Args:
        path: the file to write.
        suffixes: what its name may end in, lower case.
        expected: those in words.
        sources: what is read: files, folders and globs.
        read: suffixes of what is read in a folder or a glob; None for any file that is
            there.

    Raises:
        DataError: it cannot be written, has another suffix, or is one of the inputs, or
            would be one if the same were run again.
    """
    if is_special(path):
        return
    for source in sources:
        if os.path.isfile(source) and _same(path, source):
            raise DataError(f"{path} is the input, expected another file to write")
    check_writable(path)
    suffix = Path(path).suffix
    if suffix.lower() not in suffixes:
        raise DataError(f"cannot write {path}: expected {expected}, got {suffix!r}")
    for source in sources:
        if is_read(path, source, read):
            raise DataError(
                f"{path} is or would be among the files of {source}, which are read: "
                "expected another place to write"
            )


def is_read(path, source, suffixes=None):
    """Whether a path is, or once written would be, among what is read.

    Args:
        path: the file to write.
        source: a file, a folder with all that lies below it, or a glob.
        suffixes: of what is read in a folder or a glob, lower case; None for any file
            that is there already.
    """
    source = os.path.expanduser(source)
    if os.path.exists(source) and not os.path.isdir(source):
        return _same(path, source)
    if not (os.path.exists(path) if suffixes is None else _has(path, suffixes)):
        return False
    real = _parts(os.path.realpath(path))
    if os.path.isdir(source):
        folder = _parts(os.path.realpath(source))
        return real[: len(folder)] == folder
    if not glob.has_magic(source):
        return False
    pattern = _parts(os.path.abspath(source))
    plain = next(i for i, part in enumerate(pattern) if glob.has_magic(part))
    start = _parts(os.path.realpath(os.path.join(*pattern[:plain])))
    return _matches(real, (*map(glob.escape, start), *pattern[plain:]))


def _same(path, source):
    try:
        return os.path.samefile(path, source)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(source)


def _has(path, suffixes):
    name = Path(path)
    return name.suffix.lower() in suffixes and not name.name.startswith(".")


def _parts(path):
    return Path(path).parts


def _matches(parts, pattern):
    """Whether parts of a path match those of a recursive glob."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[i:], pattern[1:]) for i in range(len(parts) + 1)) or (
            len(pattern) == 1
        )
    return (
        bool(parts)
        and fnmatch.fnmatchcase(parts[0], pattern[0])
        and _matches(parts[1:], pattern[1:])
    )
