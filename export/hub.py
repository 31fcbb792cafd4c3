"""Models for TensorFlow Hub: what a static web server can host as it is.

    DIRECTORY/NAME/VERSION.tar.gz           the SavedModel, at the archive's root
    DIRECTORY/NAME/VERSION.tar.gz.sha256    its checksum, as sha256sum writes it
    DIRECTORY/NAME/VERSION.md               its page, in the format of tfhub.dev

`yoto_tf.zoo.load` and `tensorflow_hub.load` take the archive's URL.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import tempfile
from pathlib import Path

from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.hub_page import page
from yoto_tf.export.saved_model import write_saved_model
from yoto_tf.export.versions import check_new, check_version
from yoto_tf.machine.atomic_files import write_atomically

# The form of a name, with or without a publisher, that tfhub.dev demands.
_NAME = re.compile(r"([a-z0-9-]+/)?[A-Za-z0-9_][\w.-]*")


def write(model, directory, name=None, version=1):
    """Writes an archive, its checksum and its page.

    Args:
        model: what `write_saved_model` takes.
        directory: what the server will have as its root, new or existing.
        name: `NAME` or `PUBLISHER/NAME`; without it, the model's own.
        version: integer ≥ 1.

    Returns:
        The path of the archive.

    Raises:
        RecipeError: a malformed name or version, or a version that exists: users who
            have loaded it would not learn that it changed.
        DataError: a file cannot be written.
    """
    check_version(version)
    name = name or describe(model).name
    archive = _place(directory, name, version)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        # With those ops the archive would hold the weights twice. Whoever runs them has
        # this library, and so the codec itself.
        write_saved_model(model, folder, with_tfc_ops=False)
        manifest = json.loads((folder / "assets" / "yoto.json").read_text("utf-8"))
        content = _pack(folder)
    checksum = f"{hashlib.sha256(content).hexdigest()}  {archive.name}\n"
    beside = {
        archive.with_name(f"{version}.md"): page(manifest, name, version),
        archive.with_name(f"{archive.name}.sha256"): checksum.encode(),
    }
    try:
        archive.parent.mkdir(parents=True, exist_ok=True)
        for path, text in beside.items():
            write_atomically(path, text)
        # Last, since it is what makes the version public.
        write_atomically(archive, content)
    except OSError as error:
        raise DataError(f"cannot write {archive}: {error.strerror}") from error
    except DataError:
        # They would describe a version that does not exist.
        for path in beside:
            path.unlink(missing_ok=True)
        raise
    return archive


def _place(directory, name, version):
    """Where a new archive goes."""
    if not _NAME.fullmatch(name):
        raise RecipeError(f"name {name!r}: expected NAME or publisher/NAME")
    archive = Path(directory, name, f"{version}.tar.gz")
    check_new(archive)
    return archive


def _pack(folder):
    """A .tar.gz of a folder's content, the same bytes for the same files."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):
        for path in sorted(folder.rglob("*")):
            # Owner and time are 0; TarFile.add would take those of the file.
            member = tarfile.TarInfo(path.relative_to(folder).as_posix())
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            else:
                member.size = path.stat().st_size
                with path.open("rb") as content:
                    archive.addfile(member, content)
    return buffer.getvalue()
