"""What runs on the machines of an engine: a stage that reads, and one that converts."""

import hashlib
import os
import re
import socket
import tarfile
import tempfile
from io import BytesIO

import pyarrow as pa

from yoto_tf.bulk.converter import Converter
from yoto_tf.bulk.manifest import SCHEMA
from yoto_tf.errors import DataError
from yoto_tf.machine.remote import refused

# Names of shards.
SHARD = re.compile(r"part-[0-9a-f]{16}\.tar")
# What is still to be done of one picture.
WORK = pa.schema(
    {
        "path": pa.string(),
        **{name: SCHEMA.field(name).type for name in ("input", "size", "stamp")},
        "output": pa.string(),
        "key": SCHEMA.field("key").type,
    }
)


def read(work, source):
    """Reads the files of a block.

    Args:
        work: a table of `WORK`.
        source: the `Place` that they lie in.

    Returns:
        The table with the columns "content", null for a file that cannot be read, and
        "unread", why not.
    """
    contents, reasons = [], []
    for path, shown in zip(work["path"], work["input"], strict=True):
        content = reason = None
        try:
            content = source.fs.cat_file(path.as_py())
        # What a file system of fsspec raises is up to it.
        except Exception as error:
            reason = str(refused("read", shown, error))
        contents.append(content)
        reasons.append(reason)
    columns = {"content": (contents, pa.binary()), "unread": (reasons, pa.string())}
    for name, (values, kind) in columns.items():
        work = work.append_column(name, pa.array(values, kind))
    return work


class Worker:
    """Converts blocks of pictures and writes what comes out.

    Args:
        task: a `Task`.
        threads: see `Converter`.
        target: the `Place` to write to.
        packed: whether a block becomes one shard instead of many files.
        attempts: an `Attempts`, or what stands for one elsewhere.
    """

    def __init__(self, task, threads, target, packed, attempts):
        self._converter, self._attempts = Converter(task, threads), attempts
        self._task, self._target = task, target
        self._sink = _Shard if packed else _Files
        self._name = f"{socket.gethostname()}:{os.getpid()}"

    def __call__(self, work):
        """Converts a block.

        Args:
            work: what `read` returns.

        Returns:
            Its part of the manifest.
        """
        rows, block = [], _name(work)
        # Only where a worker has died with the block, its pictures are looked at.
        is_careful = self._attempts.enter(block) > 1
        with self._sink(self._target, self._task.written, block) as sink:
            for index in range(len(work)):
                entry = {name: work[name][index].as_py() for name in work.column_names}
                if is_careful and not self._attempts.begin(entry["key"]):
                    entry["unread"] = (
                        f"{entry['input']}: left out, for workers died with it; it may "
                        "take more memory than there is"
                    )
                rows.append(self._row(entry, sink))
                if is_careful:
                    self._attempts.end(entry["key"])
        if sink.error is not None:
            rows = [
                {**row, "output": None, "error": row["error"] or sink.error}
                for row in rows
            ]
        self._attempts.leave(block)
        return pa.Table.from_pylist(rows, SCHEMA)

    def _row(self, entry, sink):
        row = {
            **{name: entry[name] for name in ("input", "size", "stamp", "key")},
            "worker": self._name,
            "settings": self._task.settings,
            "model_id": self._task.model_id,
            "error": entry["unread"],
        }
        if entry["unread"] is None:
            done = self._converter(entry["input"], entry["content"])
            row |= done.row
            if done.content is not None:
                try:
                    row |= sink.add(entry["output"], done.content)
                except DataError as error:
                    row["error"] = str(error)
        return row


def _name(work):
    """Of a block, by what it consists of."""
    return hashlib.sha256(b"".join(work["key"].to_pylist())).hexdigest()[:16]


class _Files:
    """Outputs as files of their own."""

    error = None

    def __init__(self, target, written, block):
        self._target, self._written = target, written

    def __enter__(self):
        return self

    def add(self, name, content):
        if self._target.is_local:
            from yoto_tf.machine.outputs import check_kind

            path = os.path.join(self._target.path, name)
            check_kind(path, self._written.suffixes, self._written.expected)
        self._target.write(name, content)
        return {"output": name}

    def __exit__(self, *_):
        pass


class _Shard:
    """Outputs as members of one tar file, which is there when all of it is.

    It is named after what goes in: a block that is converted again replaces it.
    """

    def __init__(self, target, written, block):
        self._target, self._name = target, f"part-{block}.tar"
        self._members, self.error = 0, None

    def __enter__(self):
        self._file = tempfile.NamedTemporaryFile(suffix=".tar")
        self._tar = tarfile.open(
            fileobj=self._file, mode="w", format=tarfile.PAX_FORMAT
        )
        return self

    def add(self, name, content):
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(content), 0o644
        self._tar.addfile(member, BytesIO(content))
        self._members += 1
        return {"output": self._name, "member": name}

    def __exit__(self, kind, *_):
        with self._file:
            self._tar.close()
            self._file.flush()
            if kind is None and self._members:
                try:
                    self._target.put(self._name, self._file)
                except DataError as error:
                    self.error = str(error)
