"""Downloads that broke off, to be continued where they stopped.

Two files in the cache: what came, and the entity tag under which it came. With these a
server that can sends the rest, see RFC 9110, sections 13.1.5 and 14. What is made of
both is checked as if it had come at once.
"""

import contextlib
import errno
import http.client
import os

from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.archive import BrokenOff, receive
from yoto_tf.zoo.downloads import is_tag, open_stream

_LONGEST_TAG = 300
# What is full does not become emptier by what is kept.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def received(folder, address, limits):
    """Downloads an archive, or the rest of it.

    The lock of the place is to be held. When this ends the archive is gone, but for a
    download that broke off and can be continued.

    Args:
        folder: `pathlib.Path`, see `yoto_tf.zoo.cache.place_of`.
        address: of the archive.
        limits: `Limits`.

    Yields:
        The archive, open for reading, and its SHA-256 in hexadecimal.

    Raises:
        OSError, DataError: the cache cannot be written.
        RecipeError: see `open_stream` and `receive`.
    """
    part = folder.with_name(f".{folder.name}.part")
    tag = folder.with_name(f".{folder.name}.tag")
    keep = False
    try:
        with _opened(part) as archive:
            known = _tag_in(tag)
            start = archive.seek(0, 2) if known else 0
            # A server that is out of reach for now may be there later.
            keep = start > 0
            with open_stream(address, start=start, tag=known) as download:
                keep = False
                if not download.start:
                    tag.unlink(missing_ok=True)
                    archive.truncate(0)
                    if download.tag:
                        write_atomically(tag, download.tag.encode())
                try:
                    digest = receive(
                        download.stream,
                        download.size,
                        archive,
                        address,
                        limits,
                        download.start,
                    )
                except BaseException as error:
                    keep = download.tag is not None and _broke_off(error)
                    raise
            yield archive, digest
    finally:
        if not keep:
            part.unlink(missing_ok=True)
            tag.unlink(missing_ok=True)


def _opened(path):
    """A file to read and write, empty where there is none."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "r+b")


def _tag_in(path):
    """The entity tag in a file, or None."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            text = file.read(_LONGEST_TAG)
    except FileNotFoundError:
        return None
    return text if is_tag(text) else None


def _broke_off(error):
    """Whether what has come is good, and there is a place for more."""
    if isinstance(error, OSError):
        return error.errno not in _FULL
    return isinstance(error, (BrokenOff, http.client.HTTPException, KeyboardInterrupt))
