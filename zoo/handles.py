"""Handles: models on a server, fetched once and kept in a cache.

An archive is received, checked and unpacked here, and becomes a folder of the cache
only when all of it is known to be good, the release in it included. A download that
breaks off is continued the next time, where the server can do that.
"""

import functools
import re
import shutil
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.archive import unpack
from yoto_tf.zoo.cache import ARCHIVE, check_pin, kept
from yoto_tf.zoo.downloads import cannot_be_fetched, published_checksum
from yoto_tf.zoo.hugging_face import fetch_repository
from yoto_tf.zoo.limits import Limits
from yoto_tf.zoo.partial import received
from yoto_tf.zoo.release_folder import read_release

_HTTP = (r"[^?\s]+/[0-9]+(\.tar\.gz)?", "HOST/NAME/VERSION.tar.gz or HOST/NAME/VERSION")
_FORMS = {
    "http": _HTTP,
    "https": _HTTP,
    "gs": (r"\S+/[0-9]+\.tar\.gz", "BUCKET/NAME/VERSION.tar.gz"),
    "kaggle": (r"([^/\s]+/){4}[0-9]+", "OWNER/MODEL/FRAMEWORK/VARIATION/VERSION"),
}
_PIN = re.compile("sha256=([0-9a-fA-F]{64})")


def fetch(handle):
    """What a handle names, downloaded unless the cache has it.

    - `https://HOST/…/NAME/VERSION.tar.gz`, or without the suffix on a server that
      follows tensorflow_hub's protocol;
    - `gs://BUCKET/…/NAME/VERSION.tar.gz`;
    - `kaggle://OWNER/MODEL/FRAMEWORK/VARIATION/VERSION`, which kagglehub downloads,
      checks and caches;
    - `hf://OWNER/NAME@REVISION`, a repository on the Hugging Face Hub with a release
      in it, see `yoto_tf.zoo.hugging_face`.

    A version never changes, and so a cached one is neither asked for again nor
    replaced. A handle without a version is refused: the cache would answer for ever
    with what was the newest at the first time. (Of `hf://` a commit is the version,
    which without one is asked for each time.)

    `#sha256=HEX` at the end pins the archive, as in pip's links. It is a part of the
    handle, not an argument, since a handle is what is passed on: to `--model`, in a
    settings file, in a message. Without it the archive is compared with the server's
    own `VERSION.tar.gz.sha256`, if there is one. That protects from damage; from a
    server that is not to be trusted, only the pin does.

    Args:
        handle: see above.

    Returns:
        The folder of the SavedModel, or of the release, below TFHUB_CACHE_DIR or else
        in the user's own folder for caches.

    Raises:
        RecipeError: a handle that is malformed or names no version; a server that is
            out of reach or has no such version; an archive that is truncated, damaged,
            beyond a limit (see `yoto_tf.zoo.limits`), leads out of its folder, has
            another checksum or no whole release in it, of which nothing stays in the
            cache; a cached copy that is incomplete or not the pinned one.
    """
    address, _, pin = handle.partition("#")
    scheme, _, path = address.partition("://")
    if scheme == "hf":
        return fetch_repository(handle)
    if scheme not in _FORMS:
        raise RecipeError(f"{handle}: expected {'://, '.join([*_FORMS, 'hf'])}://")
    pattern, form = _FORMS[scheme]
    if not re.fullmatch(pattern, path):
        raise RecipeError(f"{handle} names no version: expected {scheme}://{form}")
    checksum = _PIN.fullmatch(pin)
    if pin and not checksum:
        raise RecipeError(f"{handle}: expected #sha256= and 64 hexadecimal digits")
    if scheme != "kaggle":
        return _from_cache(address, checksum and checksum[1].lower())
    if pin:
        raise RecipeError(f"{handle}: kagglehub has its own checksums, expected no #")
    return _from_kaggle(address, path)


def _from_kaggle(address, path):
    try:
        import kagglehub
    except ImportError as error:
        raise RecipeError(
            f"{address} needs kagglehub, which is not installed: pip install kagglehub"
        ) from error
    try:
        return Path(kagglehub.model_download(path))
    # Its own exceptions and those of requests, zipfile and the file system.
    except Exception as error:
        raise cannot_be_fetched(address, error) from error


def _from_cache(address, expected):
    """The folder of the SavedModel in the cache, downloaded or not."""
    folder = kept(address, functools.partial(_download, address, expected))
    if not (folder / "saved_model.pb").is_file():
        raise RecipeError(
            f"{address} is cached in {folder}, which is incomplete: delete it"
        )
    if expected:
        check_pin(folder, address, expected)
    return folder


def _download(address, expected, folder, temporary):
    """Fills the folder that becomes the one in the cache."""
    limits = Limits.from_environment()
    with received(folder, address, limits) as (archive, digest):
        wanted = expected or published_checksum(address)
        if wanted not in (None, digest):
            raise RecipeError(f"{address} has SHA-256 {digest}, expected {wanted}")
        unpack(archive, temporary, address, limits)
        archive.seek(0)
        # Not over a file that the archive has.
        with open(temporary / ARCHIVE, "xb") as copy:
            shutil.copyfileobj(archive, copy)
    try:
        read_release(temporary / "release")
    except RecipeError as error:
        reason = str(error).replace(str(temporary / "release"), "its release/")
        raise RecipeError(f"{address} cannot be used: {reason}") from error
