"""Archives of SavedModels: received whole, checked, unpacked into their folder only.

An archive is a .tar.gz whose root is the SavedModel.
"""

import gzip
import hashlib
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from tqdm import tqdm

from yoto_tf.errors import RecipeError

_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 512


def receive(stream, size, archive, title):
    """Copies a stream into a file, with a progress bar on a terminal.

    Args:
        stream: has `read`.
        size: its bytes, or None if not known.
        archive: file, open for writing.
        title: names the stream.

    Returns:
        The SHA-256 of what was copied, in hexadecimal.

    Raises:
        RecipeError: the stream ended before `size`.
    """
    digest = hashlib.sha256()
    bar = tqdm(desc=title, total=size, unit="B", unit_scale=True, delay=1, disable=None)
    with bar:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            archive.write(chunk)
            bar.update(len(chunk))
    if size is not None and archive.tell() != size:
        raise RecipeError(
            f"{title} is truncated: {archive.tell()} bytes of {size} came"
        )
    return digest.hexdigest()


def unpack(archive, folder, title):
    """Unpacks an archive of which nothing is trusted.

    Args:
        archive: file, open for reading.
        folder: where to; it should be one that is thrown away after an error.
        title: names the archive.

    Raises:
        RecipeError: no .tar.gz, a truncated or damaged one, a path out of the folder, a
            link or device, no SavedModel at the root.
    """
    folder = Path(folder).resolve()
    archive.seek(0)
    with tempfile.TemporaryFile() as plain:
        try:
            with gzip.GzipFile(fileobj=archive, mode="rb") as stream:
                shutil.copyfileobj(stream, plain, _CHUNK_BYTES)
            plain.seek(0)
            with tarfile.open(fileobj=plain, mode="r:") as members:
                for member in members:
                    _extract(members, member, folder, title)
                # Unreadable entries end the loop as an end mark does: empty blocks.
                plain.seek(members.offset)
                rest = plain.read()
                if len(rest) < _BLOCK_BYTES or any(rest):
                    raise EOFError("the archive has no end mark")
        except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError) as error:
            raise RecipeError(
                f"{title} is no whole .tar.gz archive: {str(error).lower()}"
            ) from error
    if not (folder / "saved_model.pb").is_file():
        raise RecipeError(f"{title} has no SavedModel at its root: no saved_model.pb")


def _extract(members, member, folder, title):
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder):
        raise RecipeError(f"{title} leads out of its folder: {member.name!r}")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    elif member.isfile():
        target.parent.mkdir(parents=True, exist_ok=True)
        with members.extractfile(member) as source, open(target, "wb") as copy:
            shutil.copyfileobj(source, copy, _CHUNK_BYTES)
    else:
        raise RecipeError(f"{title} has {member.name!r}, neither a file nor a folder")
