"""Archives of SavedModels: received whole, checked, unpacked into their folder only.

An archive is a .tar.gz whose root is the SavedModel. Nothing in it is believed: its
headers are walked through before `tarfile` sees them, and whatever would make `tarfile`
go back, expand or recurse is refused.
"""

import filecmp
import gzip
import hashlib
import re
import shutil
import tarfile
import tempfile
import time
import zlib
from pathlib import Path

from tqdm import tqdm

from yoto_tf.errors import RecipeError, printable
from yoto_tf.zoo.limits import Limits, refuse_beyond

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 512
# Long names and pax records, which `tarfile` reads into memory.
_LARGEST_EXTENSION = 2**16
_EXTENSIONS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
# The most extended headers before one file: `tarfile` recurses for each.
_MOST_EXTENSIONS = 8
# Records by which a member has another size than its header says.
_RESIZED = re.compile(rb"(^|\n)\d+ (size=|GNU\.sparse)")


class BrokenOff(RecipeError):
    """A download that ended before its end."""


def receive(stream, size, archive, title, limits=None, start=0):
    """Copies a stream into a file, with a progress bar on a terminal.

    Args:
        stream: has `read`.
        size: bytes of the whole, or None if not known.
        archive: file, open for reading and writing.
        title: names the stream.
        limits: `Limits`; None for those of the environment.
        start: how many bytes the file has already and the stream leaves out. What the
            file holds after them is cut off.

    Returns:
        The SHA-256 of what is in the file, in hexadecimal.

    Raises:
        BrokenOff: the stream ended before all had come.
        RecipeError: it goes beyond a limit.
    """
    limits = limits or Limits.from_environment()
    deadline = limits.deadline()
    received = start
    digest = _digest_of_start(archive, start)
    # `read1` returns what a socket has. `read` would wait for a whole chunk, and a slow
    # server would never let the time be checked.
    read = getattr(stream, "read1", stream.read)
    bar = tqdm(
        desc=printable(title),
        total=size,
        initial=received,
        unit="B",
        unit_scale=True,
        delay=1,
        disable=None,
    )
    with bar:
        while (size or 0) <= limits.archive_bytes and (chunk := read(_CHUNK_BYTES)):
            received += len(chunk)
            if received > limits.archive_bytes:
                break
            _check_time(deadline, limits, title)
            digest.update(chunk)
            archive.write(chunk)
            bar.update(len(chunk))
    if max(size or 0, received) > limits.archive_bytes:
        raise refuse_beyond(
            "archive_bytes", limits.archive_bytes, title, "has more than"
        )
    if size is not None and received != size:
        raise BrokenOff(f"{title} is truncated: {received} bytes of {size} came")
    return digest.hexdigest()


def _digest_of_start(archive, length):
    """The SHA-256 of a file's first bytes, after which it is cut off."""
    digest = hashlib.sha256()
    archive.seek(0)
    for start in range(0, length, _CHUNK_BYTES):
        digest.update(archive.read(min(_CHUNK_BYTES, length - start)))
    archive.seek(length)
    archive.truncate()
    return digest


def unpack(archive, folder, title, limits=None):
    """Unpacks an archive of which nothing is trusted.

    Args:
        archive: file, open for reading.
        folder: where to; it should be one that is thrown away after an error.
        title: names the archive.
        limits: `Limits`; None for those of the environment.

    Raises:
        RecipeError: not a .tar.gz, a truncated or damaged one, one beyond a limit, a
            path out of the folder, a link, a device or a sparse file, no SavedModel at
            the root.
    """
    folder = Path(folder).resolve()
    limits = limits or Limits.from_environment()
    with tempfile.TemporaryFile(dir=folder) as plain:
        try:
            _gunzip(archive, plain, title, limits)
            _check_headers(plain, title, limits)
            plain.seek(0)
            with tarfile.open(fileobj=plain, mode="r:") as members:
                for member in members:
                    _extract(members, member, folder, title)
        # `tarfile` raises nearly anything for forged headers.
        except (
            EOFError,
            gzip.BadGzipFile,
            zlib.error,
            tarfile.TarError,
            ValueError,
            OverflowError,
            RecursionError,
            # One name for a file and for a folder.
            IsADirectoryError,
            NotADirectoryError,
            FileExistsError,
        ) as error:
            raise RecipeError(
                f"{title} is not a complete .tar.gz archive: {str(error).lower()}"
            ) from error
    if not (folder / "saved_model.pb").is_file():
        raise RecipeError(f"{title} has no SavedModel at its root: no saved_model.pb")


def is_unpacked_in(archive, folder, besides):
    """Whether a folder holds the files of an archive, byte for byte, and no others.

    Args:
        archive: file, open for reading, that `unpack` has accepted before.
        folder: `pathlib.Path`.
        besides: path of a file in the folder that the archive does not hold.
    """
    with tempfile.TemporaryDirectory() as fresh:
        unpack(archive, fresh, folder.name)
        expected, found = _files(Path(fresh)), _files(folder)
        found.pop(besides.relative_to(folder), None)
        return expected.keys() == found.keys() and all(
            filecmp.cmp(expected[name], found[name], shallow=False) for name in expected
        )


def _files(folder):
    """{relative path: path} of all files and links below a folder."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return {path.relative_to(folder): path for path in paths}


def _gunzip(archive, plain, title, limits):
    size = archive.seek(0, 2)
    archive.seek(0)
    most, deadline = limits.content_bytes(size), limits.deadline()
    with gzip.GzipFile(fileobj=archive, mode="rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            _check_time(deadline, limits, title)
            if plain.tell() + len(chunk) > most:
                name = "unpacked_bytes" if most == limits.unpacked_bytes else "ratio"
                limit = getattr(limits, name)
                raise refuse_beyond(name, limit, title, "unpacks to more than")
            plain.write(chunk)


def _check_time(deadline, limits, title):
    if time.monotonic() > deadline:
        raise refuse_beyond("seconds", limits.seconds, title, "takes more than")


def _check_headers(plain, title, limits):
    """Walks from header to header, up to the two empty blocks at the end.

    Raises:
        RecipeError: a member that is neither a plain file nor a folder, or too many.
        EOFError, tarfile.TarError: no such archive.
    """
    size = plain.seek(0, 2)
    position = members = extensions = 0
    while True:
        plain.seek(position)
        block = plain.read(_BLOCK_BYTES)
        if len(block) < _BLOCK_BYTES:
            raise EOFError("the archive has no end mark")
        if not any(block):
            break
        try:
            member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            if position == 0:
                raise
            # Unreadable entries end `tarfile`'s loop as an end mark does.
            raise EOFError("the archive has no end mark") from error
        name = member.name
        if member.size < 0:
            raise EOFError(f"{name!r} has a negative size, {member.size}")
        following = position + _BLOCK_BYTES
        following += -(-member.size // _BLOCK_BYTES) * _BLOCK_BYTES
        if following > size:
            raise EOFError(f"{name!r} ends after the archive")
        if member.type in _EXTENSIONS:
            extensions += 1
            if extensions > _MOST_EXTENSIONS or member.size > _LARGEST_EXTENSION:
                raise EOFError(f"{name!r} has too large a header")
            if _RESIZED.search(plain.read(member.size)):
                raise RecipeError(f"{title} has {name!r}, a sparse or resized file")
        else:
            members, extensions = members + 1, 0
            is_file = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE)
            # `tarfile` skips the content of files only.
            if not (is_file or (member.isdir() and not member.size)):
                raise RecipeError(f"{title} has {name!r}, neither a file nor a folder")
            if members > limits.members:
                raise refuse_beyond("members", limits.members, title, "has more than")
        position = following
    plain.seek(position)
    while chunk := plain.read(_CHUNK_BYTES):
        if chunk.strip(b"\0"):
            raise EOFError("the archive has no end mark")


def _extract(members, member, folder, title):
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder):
        raise RecipeError(f"{title} leads out of its folder: {member.name!r}")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with members.extractfile(member) as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK_BYTES)
