"""Handles: models on a server, fetched once and kept in tensorflow_hub's cache.

What tensorflow_hub checks as it unpacks is not enough to trust the cache afterwards: an
archive that ends between two files passes as whole. So it is received, checked and
unpacked here, under tensorflow_hub's own lock, and put where `tensorflow_hub.resolve`
looks for it.
"""

import contextlib
import hashlib
import http.client
import re
import tempfile
import urllib.error
import urllib.request
import warnings
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.archive import receive, unpack

_HTTP = (r"[^?\s]+/[0-9]+(\.tar\.gz)?", "HOST/NAME/VERSION.tar.gz or HOST/NAME/VERSION")
_FORMS = {
    "http": _HTTP,
    "https": _HTTP,
    "gs": (r"\S+/[0-9]+\.tar\.gz", "BUCKET/NAME/VERSION.tar.gz"),
    "kaggle": (r"([^/\s]+/){4}[0-9]+", "OWNER/MODEL/FRAMEWORK/VARIATION/VERSION"),
}
_PIN = re.compile("sha256=([0-9a-fA-F]{64})")
_NOTED = "SHA-256: "
_TIMEOUT_SECONDS = 60


def fetch(handle):
    """The SavedModel that a handle names, downloaded unless the cache has it.

    - `https://HOST/…/NAME/VERSION.tar.gz`, or without the suffix on a server that
      follows tensorflow_hub's protocol;
    - `gs://BUCKET/…/NAME/VERSION.tar.gz`;
    - `kaggle://OWNER/MODEL/FRAMEWORK/VARIATION/VERSION`, which kagglehub downloads,
      checks and caches.

    A version never changes, and so a cached one is neither asked for again nor
    replaced. A handle without a version is refused: the cache would answer for ever
    with what was the newest at the first time.

    `#sha256=HEX` at the end pins the archive, as in pip's links. It is a part of the
    handle, not an argument, since a handle is what is passed on: to `--model`, in a
    settings file, in a message. Without it the archive is compared with the server's
    own `VERSION.tar.gz.sha256`, if there is one. That protects from damage; from a
    server that is not to be trusted, only the pin does.

    Args:
        handle: see above.

    Returns:
        The folder of the SavedModel, below TFHUB_CACHE_DIR.

    Raises:
        RecipeError: a handle that is malformed or names no version; a server that is
            out of reach or has no such version; an archive that is truncated, damaged,
            leads out of its folder or has another checksum, of which nothing stays in
            the cache; a cached copy that is incomplete or not the pinned one.
    """
    address, _, pin = handle.partition("#")
    scheme, _, path = address.partition("://")
    if scheme not in _FORMS:
        raise RecipeError(f"{handle}: expected {'://, '.join(_FORMS)}://")
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
        raise _failed(address, error) from error


def _from_cache(address, expected):
    """The folder of the SavedModel in tensorflow_hub's cache, downloaded or not."""
    tf, resolver = _tensorflow_hub()
    # The place where tensorflow_hub keeps what it downloads from this address.
    name = hashlib.sha1(address.encode()).hexdigest()
    cache = resolver.tfhub_cache_dir(use_temp=True)
    if "://" in cache:
        raise RecipeError(f"TFHUB_CACHE_DIR is {cache}, expected a local folder")
    folder = Path(cache, name)
    # Its note on a download, which each download replaces; nothing reads it but this.
    note = Path(cache, f"{name}.descriptor.txt")
    downloaded = []

    def download(address, temporary):
        with tempfile.TemporaryFile() as archive:
            with _open(address) as (stream, size):
                digest = receive(stream, size, archive, address)
            wanted = expected or _published_checksum(address)
            if wanted not in (None, digest):
                raise RecipeError(f"{address} has SHA-256 {digest}, expected {wanted}")
            unpack(archive, temporary, address)
        downloaded.append(digest)

    try:
        resolver.create_local_module_dir(cache, name)
        resolver.atomic_download(address, download, str(folder))
        for digest in downloaded:
            write_atomically(note, note.read_bytes() + f"\n{_NOTED}{digest}\n".encode())
    except urllib.error.HTTPError as error:
        raise RecipeError(
            f"{address} cannot be had: the server says {error.code} {error.reason}"
        ) from error
    # Of an address that is none, urllib says so by a ValueError.
    except (OSError, ValueError, http.client.HTTPException, tf.errors.OpError) as error:
        raise _failed(address, error) from error

    where = f"{address} is cached in {folder}"
    if not (folder / "saved_model.pb").is_file():
        raise RecipeError(f"{where}, which is incomplete: delete it")
    if expected:
        # None where tensorflow_hub.load has downloaded it, which checks nothing.
        text = note.read_text() if note.exists() else ""
        noted = re.search(rf"^{_NOTED}(\w+)$", text, re.M)
        digest = noted[1] if noted else "unknown"
        if digest != expected:
            raise RecipeError(f"{where} with SHA-256 {digest}, expected {expected}")
    return folder


def _tensorflow_hub():
    """TensorFlow, and tensorflow_hub's module of caches and downloads."""
    try:
        import tensorflow as tf

        with warnings.catch_warnings():
            # It imports pkg_resources, which warns of its own end.
            warnings.simplefilter("ignore")
            from tensorflow_hub import resolver
    except ImportError as error:
        raise RecipeError(
            "a handle needs TensorFlow and tensorflow_hub, otherwise give a folder: "
            f"{error}"
        ) from error
    return tf, resolver


@contextlib.contextmanager
def _open(address, query="?tf-hub-format=compressed"):
    """A stream and its size, None if the server does not say."""
    tf, resolver = _tensorflow_hub()
    if address.startswith("gs://"):
        with tf.io.gfile.GFile(address, "rb") as stream:
            yield stream, stream.size()
    else:
        # For TFHUB_DISABLE_CERT_VALIDATION.
        context = resolver.HttpResolverBase()._context
        with urllib.request.urlopen(
            address + query, timeout=_TIMEOUT_SECONDS, context=context
        ) as stream:
            yield stream, stream.length


def _published_checksum(address):
    """The server's checksum of an archive, or None."""
    tf, _ = _tensorflow_hub()
    beside = f"{address.removesuffix('.tar.gz')}.tar.gz.sha256"
    try:
        with _open(beside, query="") as (stream, _):
            # What `sha256sum` writes; servers may have a page for whatever is missing.
            line = stream.read(64).decode("ascii", "replace")
    except (urllib.error.HTTPError, tf.errors.NotFoundError):
        return None
    return line if re.fullmatch("[0-9a-f]{64}", line) else None


def _failed(address, error):
    reason = str(getattr(error, "reason", error)).partition("\n")[0]
    reason = reason or type(error).__name__
    return RecipeError(f"{address} cannot be had: {reason}")
