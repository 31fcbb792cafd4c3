"""Pictures in shards: tar files as WebDataset writes them, on a disk or in a bucket."""

import glob
import os
import re
import tarfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from yoto_tf.data.images import SUFFIXES, read_image_bytes
from yoto_tf.errors import DataError, printable
from yoto_tf.machine.progress import progress_bar
from yoto_tf.machine.remote import file_system, is_url, refused

# A range of numbers in a name, as WebDataset writes it: {000000..000127}.
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
_READERS = 16


def is_shards(spec):
    """Whether a data SPEC names shards: `*.tar`, or `{0000..0099}.tar`, or a URL."""
    return str(spec).lower().endswith(".tar")


class Shards:
    """The pictures of shards, by number.

    Each shard is gone through once, to learn where its pictures are: only what stands
    before each is read, not the pictures. Whatever is no picture by its suffix, such as
    a caption, is left out.

    Args:
        spec: a tar file, a glob, a range of names such as `train-{000..127}.tar`, or
            any of these as a URL of fsspec's (`gs://`, `s3://`: extra `remote`).

    Attributes:
        files: the shards, in order.

    Raises:
        DataError: there is no shard or no picture, or one cannot be read.
    """

    def __init__(self, spec):
        self.files, self._open = _found(str(spec))
        names = progress_bar(self.files, printable(f"Indexing {spec}"), unit="shard")
        with ThreadPoolExecutor(_READERS) as pool:
            tables = list(pool.map(self._index, names))
        counts = [len(table) for table in tables]
        if not sum(counts):
            raise DataError(f"no picture in the shards {spec}")
        self._ends = np.cumsum(counts)
        self._table = np.concatenate([table for table in tables if len(table)])

    def __len__(self):
        return len(self._table)

    def read(self, number):
        """Picture `number`, uint8 `[height, width, 3]`.

        Raises:
            DataError: it is damaged, or its shard cannot be read.
        """
        name = self.files[int(np.searchsorted(self._ends, number, side="right"))]
        offset, size = map(int, self._table[number])
        try:
            with self._open(name) as file:
                file.seek(offset)
                content = file.read(size)
        # What a file system of fsspec raises is up to it.
        except Exception as error:
            raise refused("read", name, error) from error
        return read_image_bytes(content, f"{name}, the picture at byte {offset:,}")

    def _index(self, name):
        """Offsets and sizes [n, 2] of the pictures of a shard."""
        rows = []
        try:
            with self._open(name) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                for member in tar:
                    suffix = os.path.splitext(member.name)[1].lower()
                    if member.isfile() and suffix in SUFFIXES:
                        rows.append((member.offset_data, member.size))
        except Exception as error:
            raise refused("read", name, error) from error
        return np.array(rows, "int64").reshape(-1, 2)


def _found(spec):
    """The names of shards, and what opens one."""
    if not is_url(spec):
        names = [
            name
            for pattern in _expanded(os.path.expanduser(spec))
            for name in (sorted(glob.glob(pattern, recursive=True)) or [pattern])
        ]
        missing = [name for name in names if not os.path.isfile(name)]
        if missing:
            raise DataError(f"no such shard: {missing[0]}")
        return names, lambda name: open(name, "rb")
    try:
        files, _ = file_system(spec)
        names = []
        for pattern in _expanded(files._strip_protocol(spec)):
            names += sorted(files.glob(pattern)) or [pattern]
    # A package that is not installed, a name, rights, the network.
    except Exception as error:
        raise refused("read", spec, error) from error
    return names, lambda name: files.open(name, "rb", block_size=2**17)


def _expanded(pattern):
    """The patterns that one with ranges of numbers stands for."""
    match = _RANGE.search(pattern)
    if not match:
        return [pattern]
    first, last = match.groups()
    start, rest = pattern[: match.start()], pattern[match.end() :]
    return [
        f"{start}{number:0{len(first)}d}{more}"
        for number in range(int(first), int(last) + 1)
        for more in _expanded(rest)
    ]
