"""Where downloaded models lie, one folder for each address.

    NAME/                    a SavedModel or a release, NAME the SHA-1 of its address
    NAME/.archive.tar.gz     what was downloaded, for comparison with a pin
    .NAME.part, .NAME.tag    a download that broke off, see `yoto_tf.zoo.partial`

These are the names that tensorflow_hub looks for in TFHUB_CACHE_DIR. A folder appears
as a whole or not at all: it is made under another name and renamed.

It is written here since no library that keeps files has these names, and the limits of
`yoto_tf.zoo.limits`: pooch 1.9 starts interrupted downloads again and takes whatever a
server sends, and huggingface_hub 2.4 continues them but keeps only what lies on its
own Hub, and lets a repository be there in part.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
import sys
import time
from pathlib import Path

from yoto_tf.errors import RecipeError, printable
from yoto_tf.machine.folder_lock import InUse, file_lock
from yoto_tf.zoo.archive import is_unpacked_in
from yoto_tf.zoo.downloads import cannot_be_fetched

ARCHIVE = ".archive.tar.gz"
_SILENT_SECONDS = 2
_POLL_SECONDS = 0.1


def cache_folder():
    """TFHUB_CACHE_DIR, or else a folder of this user alone.

    Raises:
        RecipeError: TFHUB_CACHE_DIR is not a local folder.
    """
    given = os.environ.get("TFHUB_CACHE_DIR")
    if given and "://" in given:
        raise RecipeError(f"TFHUB_CACHE_DIR is {given}, expected a local folder")
    if given:
        return Path(given)
    import platformdirs

    return platformdirs.user_cache_path("yoto_tf", appauthor=False) / "models"


def place_of(address):
    """The folder in which the model of an address lies, or will."""
    return cache_folder() / hashlib.sha1(address.encode()).hexdigest()


def kept(address, download):
    """The folder of an address in the cache, made unless it is there.

    Args:
        address: of the model.
        download: function of the folder to be, whose lock is held, and of an empty one
            that it fills and that becomes the former. If it raises, nothing stays.

    Raises:
        RecipeError: the cache cannot be written, and what `download` raises.
    """
    folder = place_of(address)
    try:
        if not folder.exists():
            with locked(folder, address):
                if not folder.exists():
                    with new_folder(folder) as temporary:
                        download(folder, temporary)
    except OSError as error:
        raise cannot_be_fetched(address, error) from error
    return folder


@contextlib.contextmanager
def locked(folder, address):
    """Holds the lock of a place, and says so while it waits for another process.

    The lock is the operating system's, and ends with the process that holds it.

    Args:
        folder: `pathlib.Path`, see `place_of`.
        address: of the model, for the message.

    Raises:
        OSError, DataError: the cache cannot be written.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}.lock")
    with contextlib.ExitStack() as held:
        started, told = time.monotonic(), False
        while True:
            try:
                held.enter_context(file_lock(lock, folder))
                break
            except InUse:
                time.sleep(_POLL_SECONDS)
            if not told and time.monotonic() > started + _SILENT_SECONDS:
                told = True
                print(
                    printable(f"waiting for another process that downloads {address}"),
                    file=sys.stderr,
                    flush=True,
                )
        yield


@contextlib.contextmanager
def new_folder(folder):
    """An empty folder that becomes `folder` at the end, unless there is an exception.

    To be called with the lock of the place, since it deletes what killed processes have
    left.

    Raises:
        OSError: the cache cannot be written.
    """
    for left in folder.parent.glob(f".{folder.name}.*.tmp"):
        shutil.rmtree(left, ignore_errors=True)
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(8)}.tmp")
    temporary.mkdir()
    try:
        yield temporary
        # tensorflow_hub knows nothing of the lock; a version never changes.
        if not folder.exists():
            temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_pin(folder, address, expected):
    """Compares what lies in the cache, all of it, with the checksum of an archive.

    Args:
        folder: see `place_of`.
        address: of the model, for the message.
        expected: SHA-256 in hexadecimal.

    Raises:
        RecipeError: the content is that of another or an unknown archive.
    """
    archive, digest = folder / ARCHIVE, "unknown"
    where = f"{address} is cached in {folder}"
    # tensorflow_hub.load keeps no archive of what it has downloaded.
    if archive.is_file():
        with open(archive, "rb") as file:
            digest = _sha256(file)
    if digest != expected:
        raise RecipeError(f"{where} with SHA-256 {digest}, expected {expected}")
    with open(archive, "rb") as file:
        if not is_unpacked_in(file, folder, besides=archive):
            raise RecipeError(
                f"{where} with other files than its archive has: delete that folder"
            )


def _sha256(file):
    digest = hashlib.sha256()
    while chunk := file.read(2**20):
        digest.update(chunk)
    return digest.hexdigest()
