"""Streams from web servers and from Google Cloud Storage."""

import contextlib
import dataclasses
import http.client
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import BinaryIO

from yoto_tf.errors import RecipeError

# A server that sends no byte for this long is given up.
_TIMEOUT_SECONDS = 60
# HTTP statuses that say that the server does not have the file.
_ABSENT = (404, 410)
_PARTIAL, _NO_SUCH_RANGE = 206, 416


@dataclasses.dataclass(frozen=True)
class Download:
    """What a server sends.

    Attributes:
        stream: has `read`.
        size: bytes of the whole file, None if the server does not say.
        start: how many of its first bytes are left out.
        tag: the strong entity tag of the file; None if the server cannot continue a
            download.
    """

    stream: BinaryIO
    size: int | None
    start: int = 0
    tag: str | None = None


def is_tag(text):
    """Whether a text is a strong entity tag, by which a server knows a file again."""
    return re.fullmatch(r'"[\x21\x23-\x7e]{1,256}"', text) is not None


@contextlib.contextmanager
def open_stream(address, query="?tf-hub-format=compressed", start=0, tag=None):
    """The `Download` of an address.

    Args:
        address: of http, https or gs.
        query: what a web server is asked for.
        start: how many bytes are there already. The server may still send the whole
            file, and does so if the file has changed.
        tag: the `Download.tag` of the bytes that are there.

    Raises:
        RecipeError: the server is out of reach or refuses, or gs without TensorFlow.
    """
    try:
        if address.startswith("gs://"):
            with _tensorflow().io.gfile.GFile(address, "rb") as stream:
                yield Download(stream, stream.size())
        else:
            with _answer(address + query, start, tag) as stream:
                yield _described(stream, start)
    except urllib.error.HTTPError as error:
        raise RecipeError(
            f"{address} cannot be fetched: the server says {error.code} {error.reason}"
        ) from error
    # urllib raises ValueError for a malformed address.
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise cannot_be_fetched(address, error) from error
    except Exception as error:
        if _is_tensorflows(error):
            raise cannot_be_fetched(address, error) from error
        raise


def published_checksum(address):
    """The server's SHA-256 of an archive, or None if it has no such file.

    Raises:
        RecipeError: the server does not say whether it has one.
    """
    beside = f"{address.removesuffix('.tar.gz')}.tar.gz.sha256"
    try:
        with open_stream(beside, query="") as download:
            # What `sha256sum` writes; some servers answer with a page where they have
            # no file.
            line = download.stream.read(64).decode("ascii", "replace").lower()
    except RecipeError as error:
        if getattr(error.__cause__, "code", None) in _ABSENT or _is_not_found(error):
            return None
        raise
    return line if re.fullmatch("[0-9a-f]{64}", line) else None


def cannot_be_fetched(address, error):
    """A one-line error for an exception that any library may have raised."""
    return RecipeError(f"{address} cannot be fetched: {one_line(error)}")


def one_line(error):
    """What an exception says first, or else what it is called."""
    reason = str(getattr(error, "reason", error)).strip().partition("\n")[0]
    return reason or type(error).__name__


def _answer(address, start, tag):
    """The server's answer, with the rest of the file or all of it."""
    request = urllib.request.Request(address)
    if start:
        request.add_header("Range", f"bytes={start}-")
        # If the file has changed, the server sends the whole of it.
        request.add_header("If-Range", tag)
    try:
        answer = _opener().open(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if not start or error.code != _NO_SUCH_RANGE:
            raise
        return _answer(address, 0, None)
    if answer.status == _PARTIAL:
        download = _described(answer, start)
        if not start or download.size is None or download.tag != tag:
            answer.close()
            if not start:
                raise http.client.HTTPException("a part of the file came")
            return _answer(address, 0, None)
    return answer


def _described(answer, start):
    """The `Download` of an answer to a request for the bytes from `start`."""
    tag = answer.headers.get("ETag", "")
    tag = tag if is_tag(tag) else None
    if answer.status == _PARTIAL:
        # "bytes 1000-2999/3000": the rest of it, and nothing else.
        given = answer.headers.get("Content-Range", "")
        match = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})", given)
        first, last, size = map(int, match.groups()) if match else (0, 0, 0)
        fits = first == start and last == size - 1 and answer.length == size - start
        return Download(answer, size if fits else None, start, tag)
    if answer.headers.get("Accept-Ranges") != "bytes":
        tag = None
    return Download(answer, answer.length, 0, tag)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a server to another address, but not out of encryption."""

    def redirect_request(self, request, stream, code, message, headers, address):
        scheme = urllib.parse.urlsplit(address).scheme
        if scheme not in ("http", "https") or request.type == "https" != scheme:
            raise RecipeError(
                f"{request.full_url} redirects to {address}, expected an address of "
                f"{request.type}"
            )
        return super().redirect_request(
            request, stream, code, message, headers, address
        )


def _opener():
    context = ssl.create_default_context()
    # A setting of tensorflow_hub's, for servers within a company.
    if os.environ.get("TFHUB_DISABLE_CERT_VALIDATION", "").lower() in ("1", "true"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return urllib.request.build_opener(
        _Redirects, urllib.request.HTTPSHandler(context=context)
    )


def _tensorflow():
    try:
        import tensorflow as tf
    except ImportError as error:
        raise RecipeError(
            f"gs:// needs TensorFlow, otherwise give a folder: {error}"
        ) from error
    return tf


def _is_tensorflows(error):
    return type(error).__module__.startswith("tensorflow.")


def _is_not_found(error):
    cause = error.__cause__
    return _is_tensorflows(cause) and type(cause).__name__ == "NotFoundError"
