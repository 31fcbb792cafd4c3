"""Which file may be written: never one that is read, nor one of another kind."""

import fnmatch
import glob
import os
from pathlib import Path

from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import check_writable, is_special

# (offset, the bytes there, the suffix of such files): kinds of files that are
# recognised by their content.
_SIGNATURES = (
    (0, b"\x89PNG\r\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (0, b"GIF8", ".gif"),
    (0, b"II*\0", ".tif"),
    (0, b"MM\0*", ".tif"),
    (8, b"WEBP", ".webp"),
    (4, b"ftypavif", ".avif"),
    (4, b"ftyp", ".mp4"),
    (0, b"%PDF-", ".pdf"),
    (0, b"PK\3\4", ".zip"),
    (0, b"\x1f\x8b", ".gz"),
    (0, b"\x89HDF\r\n", ".h5"),
)


def check_output(path, suffixes, expected, sources=(), read=None, in_new_folder=False):
    """Refuses an output before any work is done for it.

    A regular file that exists may be replaced, see `check_kind`. Devices and pipes may
    have any name.

    Args:
        path: the file to write.
        suffixes: what its name may end in, lower case.
        expected: those in words.
        sources: what is read: files, folders and globs.
        read: suffixes of what is read in a folder or a glob; None for any file that is
            there.
        in_new_folder: whether its folder is still to be made.

    Raises:
        DataError: it cannot be written, has another suffix, is one of the inputs, or
            would be one if the command were run again.
    """
    for given in (path, *sources):
        if not os.fspath(given) or "\0" in os.fspath(given):
            raise DataError(f"expected the name of a file, got {os.fspath(given)!r}")
    if is_special(path):
        return
    for source in sources:
        if os.path.isfile(source) and _same(path, source):
            raise DataError(f"{path} is the input, expected another file to write")
    if not in_new_folder:
        check_writable(path)
    suffix = Path(path).suffix
    if suffix.lower() not in suffixes:
        raise DataError(f"cannot write {path}: expected {expected}, got {suffix!r}")
    check_kind(path, suffixes, expected)
    for source in sources:
        if is_read(path, source, read):
            raise DataError(
                f"{path} is or would be among the files of {source}, which are read: "
                "expected another place to write"
            )


def check_kind(path, suffixes, expected):
    """Refuses to replace a file of another kind, also through a link.

    Raises:
        DataError: the path is a link to a file with another suffix, or the file's
            content is of another kind.
    """
    real = Path(os.path.realpath(path))
    if real.suffix and real.suffix.lower() not in suffixes:
        raise DataError(
            f"cannot write {path}: it is a link to {real}, expected {expected}"
        )
    try:
        if not real.is_file():
            return
        with open(real, "rb") as file:
            head = file.read(16)
    except OSError:
        # The attempt to write it raises an error that says more.
        return
    for start, signature, suffix in _SIGNATURES:
        if head[start:].startswith(signature):
            if suffix not in suffixes:
                raise DataError(
                    f"cannot write {path}: it holds what {suffix} files do, expected "
                    "another file to write"
                )
            return


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
