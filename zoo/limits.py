"""How much is taken from a server or an archive before it is refused.

The limits protect the disk, the memory and the time of whoever loads a model from
elsewhere. They are enforced while bytes come, never by what a header says alone.
"""

import dataclasses
import os
import time

from yoto_tf.errors import RecipeError

VARIABLE = "YOTO_LIMITS"
# Up to this size any ratio is allowed: padding makes an archive of small files large.
_FREE_BYTES = 2**24


@dataclasses.dataclass(frozen=True)
class Limits:
    """What a download and its content may take.

    For larger models set the environment variable YOTO_LIMITS, such as
    `YOTO_LIMITS=archive_bytes=8e9,unpacked_bytes=16e9`.

    Attributes:
        archive_bytes: of a download, compressed.
        unpacked_bytes: of all that is in an archive.
        ratio: how many times larger the content may be than the archive, beyond the
            first 16 MiB of it.
        members: files and folders in an archive.
        seconds: from the first byte asked for to the last one written.
    """

    archive_bytes: int = 2**30
    unpacked_bytes: int = 2**32
    ratio: int = 100
    members: int = 10_000
    seconds: int = 3600

    @classmethod
    def from_environment(cls):
        """The defaults, and what YOTO_LIMITS says instead.

        Raises:
            RecipeError: an unknown limit, or a value that is not a number above 0.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        values = {}
        for entry in filter(None, os.environ.get(VARIABLE, "").split(",")):
            name, _, value = entry.partition("=")
            try:
                values[name.strip()] = number = int(float(value))
            except (ValueError, OverflowError):
                number = 0
            if name.strip() not in names or number < 1:
                raise RecipeError(
                    f"{VARIABLE}: {entry!r}, expected NAME=NUMBER with a name of "
                    f"{', '.join(names)}"
                )
        return cls(**values)

    def content_bytes(self, archive_bytes):
        """The most that may be in an archive of this size."""
        most = max(_FREE_BYTES, self.ratio * archive_bytes)
        return min(most, self.unpacked_bytes)

    def deadline(self):
        """The end of the time from now on, on `time.monotonic`'s clock."""
        return time.monotonic() + self.seconds


def refuse_beyond(name, limit, title, what):
    """The error of a limit that is exceeded, with the way to raise it.

    Args:
        name: the field of `Limits`.
        limit: its value, or what it came to.
        title: names what is refused.
        what: says what it does, such as "unpacks to more than".
    """
    unit = name.rpartition("_")[2]
    unit = "times its size" if unit == "ratio" else unit
    return RecipeError(
        f"{title} {what} {limit:,} {unit}, which is refused; if you trust it, set "
        f"{VARIABLE}={name}=… in the environment"
    )
