"""Streams from web servers and from Google Cloud Storage."""

import contextlib
import http.client
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request

from yoto_tf.errors import RecipeError

# A server that sends no byte for this long is given up.
_TIMEOUT_SECONDS = 60
# Statuses of a file that a server does not have.
_ABSENT = (404, 410)


@contextlib.contextmanager
def open_stream(address, query="?tf-hub-format=compressed"):
    """A stream and its size, None if the server does not say.

    Args:
        address: of http, https or gs.
        query: what a web server is asked for.

    Raises:
        RecipeError: the server is out of reach or refuses, or gs without TensorFlow.
    """
    try:
        if address.startswith("gs://"):
            with _tensorflow().io.gfile.GFile(address, "rb") as stream:
                yield stream, stream.size()
        else:
            with _opener().open(address + query, timeout=_TIMEOUT_SECONDS) as stream:
                yield stream, stream.length
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
        with open_stream(beside, query="") as (stream, _):
            # What `sha256sum` writes; some servers answer with a page where they have
            # no file.
            line = stream.read(64).decode("ascii", "replace").lower()
    except RecipeError as error:
        if getattr(error.__cause__, "code", None) in _ABSENT or _is_not_found(error):
            return None
        raise
    return line if re.fullmatch("[0-9a-f]{64}", line) else None


def cannot_be_fetched(address, error):
    """A one-line error for an exception that any library may have raised."""
    reason = str(getattr(error, "reason", error)).partition("\n")[0]
    return RecipeError(f"{address} cannot be fetched: {reason or type(error).__name__}")


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
