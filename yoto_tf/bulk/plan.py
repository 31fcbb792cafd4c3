"""What is still to be done, in blocks: each is read, converted and retried as one."""

import posixpath

import pyarrow as pa

from yoto_tf.bulk.listing import folder_of, sources
from yoto_tf.bulk.manifest import Done, key_of
from yoto_tf.bulk.worker import SHARD, WORK
from yoto_tf.errors import DataError

# A block of files ends when it has so many, or so many bytes.
_FILES, _BYTES = 64, 2**24
# Of a shard, whose bytes the user says.
_FILES_IN_SHARD = 10_000


class Plan:
    """The files of a SPEC, less those that earlier runs have done.

    Args:
        task: a `Task`.
        source: the `Place` of a folder, a glob or a file.
        target: the `Place` of the outputs.
        shard_bytes: bytes of the inputs that become one shard; None for a file each.

    Attributes:
        num_done: how many files earlier runs have done, of those looked at so far.
        num_left: how many are still to be done, likewise.
    """

    def __init__(self, task, source, target, shard_bytes=None):
        self._task, self._source, self._target = task, source, target
        self._most = _FILES if shard_bytes is None else _FILES_IN_SHARD
        self._most_bytes = _BYTES if shard_bytes is None else shard_bytes
        self.num_done = self.num_left = 0
        if task.written is not None:
            _check_apart(source, target)

    def blocks(self):
        """Yields tables of `WORK`.

        Shards that a run left without a row in the manifest are removed: what is in
        them is done again.

        Raises:
            DataError: there are no files, or something cannot be listed or read.
        """
        self.num_done = self.num_left = 0
        shards = [name for name in self._target.names() if SHARD.fullmatch(name)]
        done = Done(self._target, shards)
        for name in done.leftovers:
            self._target.remove(name)
        block, num_bytes = [], 0
        for row in self._left(done):
            size = row["size"] or 0
            full = len(block) == self._most or num_bytes + size > self._most_bytes
            if block and full:
                yield pa.Table.from_pylist(block, WORK)
                block, num_bytes = [], 0
            block.append(row)
            num_bytes += size
        if block:
            yield pa.Table.from_pylist(block, WORK)

    def _left(self, done):
        for folder in sources(self._source, self._task.read.suffixes):
            rows = [work_on(self._task, self._source, found) for found in folder]
            names = [posixpath.basename(row["output"]) for row in rows]
            there = self._target.names(posixpath.dirname(rows[0]["output"]))
            is_done = done.mask([row["key"] for row in rows], names, there)
            made_of = {}
            for row, skip in zip(rows, is_done, strict=True):
                first = made_of.setdefault(row["output"], row["input"])
                if first != row["input"]:
                    raise DataError(
                        f"{row['input']} and {first} would both become {row['output']}"
                    )
                self.num_done += bool(skip)
                self.num_left += not skip
                if not skip:
                    yield row


def divided(blocks, count):
    """The same rows in at least `count` blocks, as far as there are so many rows.

    Few blocks would leave workers with nothing to do while others have many pictures.
    """
    most = max(1, sum(map(len, blocks)) // count)
    return [
        block.slice(start, most)
        for block in blocks
        for start in range(0, len(block), most)
    ]


def work_on(task, source, found):
    """A row of `WORK`, as a dict.

    Args:
        task: a `Task`.
        source: the `Place` of the SPEC.
        found: a `Source` of it.
    """
    shown = source.name_of(found.path)
    key = key_of(shown, found.size, found.stamp, task.settings, task.model_id)
    return {
        "path": found.path,
        "input": shown,
        "size": found.size,
        "stamp": found.stamp,
        "output": task.renamed(found.name),
        "key": key,
    }


def _check_apart(source, target):
    """Refuses an output folder whose files would be inputs of the next run."""
    folder = folder_of(source)
    if folder is None or type(source.fs) is not type(target.fs):
        return
    if f"{target.path}/".startswith(f"{folder}/") and folder == source.path:
        raise DataError(
            f"{target.url} lies in {source.url}, which is read: expected another place "
            "to write"
        )
