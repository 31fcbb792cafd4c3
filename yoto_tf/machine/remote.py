"""Files behind a URL that fsspec knows, such as `gs://bucket/photographs`."""

from yoto_tf.errors import DataError


def is_url(name):
    """Whether a name is a URL rather than a path."""
    return "://" in str(name)


def file_system(url):
    """fsspec's file system of a URL, and what it calls the place.

    Raises:
        ImportError, ValueError: a package is missing, or there is no such protocol;
            see `refused`.
    """
    from fsspec.core import url_to_fs

    return url_to_fs(str(url))


def refused(what, name, error):
    """A `DataError` for what a file system raised, which may be any exception.

    Args:
        what: what could not be done, such as "read".
        name: of the file or the place.
        error: the exception.
    """
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    reason = reason or type(error).__name__
    if isinstance(error, ImportError):
        reason += " (pip install 'yoto_tf[remote]')"
    return DataError(f"cannot {what} {name}: {reason}")
