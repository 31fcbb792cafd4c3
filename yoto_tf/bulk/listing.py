"""What a SPEC stands for: a folder, a glob or a file, on a disk or behind a URL."""

import dataclasses
import datetime
import os
import posixpath
from collections.abc import Iterator

from fsspec.core import has_magic

from yoto_tf.errors import DataError

_ETAGS = ("ETag", "etag", "md5Hash", "content_md5")
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "created")


@dataclasses.dataclass(frozen=True)
class Source:
    """A file that is to be read.

    Attributes:
        path: what its file system calls it.
        name: its path below the SPEC's folder, with `/`.
        size: in bytes, or None where the file system does not say.
        stamp: what changes when its content does: its etag where there is one,
            else the time of its last change; empty where there is neither.
    """

    path: str
    name: str
    size: int | None
    stamp: str


def sources(spec, suffixes) -> Iterator[list[Source]]:
    """Yields the files of a SPEC, a folder at a time, none of which is empty.

    Args:
        spec: a `Place`: a folder, of which all below is taken; a glob; or a file.
        suffixes: of the files to take in a folder, lower case. Hidden ones are left
            out, and folders that are links are not entered.

    Raises:
        DataError: there is none, or it cannot be listed.
    """
    try:
        if has_magic(spec.path):
            listing = _matching(spec)
        elif spec.fs.isfile(spec.path):
            info = spec.fs.info(spec.path)
            listing = [(posixpath.dirname(spec.path), {spec.path: info})]
        elif spec.fs.exists(spec.path):
            listing = _below(spec, suffixes)
        else:
            raise DataError(f"no such file or folder: {spec.url}")
        found, root = False, None
        for root, infos in listing:
            folder = [_source(root, path, infos[path]) for path in sorted(infos)]
            if folder:
                found = True
                yield folder
    except OSError as error:
        reason = error.strerror or " ".join(str(error).split())
        raise DataError(f"cannot list {spec.url}: {reason}") from error
    if not found:
        raise DataError(
            f"no file in {spec.url} or below it whose name ends in one of "
            f"{', '.join(sorted(suffixes))}"
        )


def folder_of(spec):
    """The path of the folder from which the names of a SPEC's sources count, if any.

    None for a glob: only what it matches says.
    """
    if has_magic(spec.path):
        return None
    is_file = spec.fs.isfile(spec.path)
    return posixpath.dirname(spec.path) if is_file else spec.path


def _below(spec, suffixes):
    walk = spec.fs.walk(spec.path, detail=True, on_error="raise")
    for folder, _, files in walk:
        found = {
            posixpath.join(folder, name): info
            for name, info in files.items()
            if not name.startswith(".")
            and posixpath.splitext(name)[1].lower() in suffixes
        }
        yield spec.path, _files(found)


def _matching(spec):
    found = _files(spec.fs.glob(spec.path, detail=True))
    if not found:
        raise DataError(f"no file matches {spec.url}")
    root = posixpath.commonpath([posixpath.dirname(path) for path in found])
    folders = {}
    for path, info in found.items():
        folders.setdefault(posixpath.dirname(path), {})[path] = info
    return [(root, folders[folder]) for folder in sorted(folders)]


def _files(infos):
    """Of {path: info} those of files, and of links to files what these are."""
    found = {}
    for path, info in infos.items():
        # On a disk only; fsspec tells of the link, not of the file.
        if info.get("islink"):
            if not os.path.isfile(path):
                continue
            status = os.stat(path)
            info = {"type": "file", "size": status.st_size, "mtime": status.st_mtime}
        if info["type"] == "file":
            found[path] = info
    return found


def _source(root, path, info):
    name = path[len(root) :].lstrip("/")
    return Source(path, name, info.get("size"), _stamp(info))


def _stamp(info):
    for key in (*_ETAGS, *_TIMES):
        value = info.get(key)
        if isinstance(value, datetime.datetime):
            return value.isoformat()
        if value:
            return str(value).strip('"')
    return ""
