"""The manifest: a Parquet table with a row for each picture, in parts."""

import datetime
import hashlib
import json
import posixpath
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from yoto_tf.errors import DataError

FOLDER = "manifest"
_KEY_BYTES = 16
_POINT = {
    "distortion": pa.float64(),
    "bytes": pa.int64(),
    "bits_per_pixel": pa.float64(),
    "psnr": pa.float64(),
    "ms_ssim": pa.float64(),
}
SCHEMA = pa.schema(
    {
        # What was read, how large it was, and its etag or the time of its last change.
        "input": pa.string(),
        "size": pa.int64(),
        "stamp": pa.string(),
        # What was written, below OUT; for a shard its name, and the file's in it.
        "output": pa.string(),
        "member": pa.string(),
        "bytes": pa.int64(),
        "width": pa.int32(),
        "height": pa.int32(),
        "bpp": pa.float64(),
        # In dB, infinite where the very same pixels come back.
        "psnr": pa.float64(),
        # Of an evaluation: what each setting reaches.
        "points": pa.list_(pa.struct(_POINT)),
        "seconds": pa.float64(),
        # Null if all went well.
        "error": pa.string(),
        # HOST:PROCESS
        "worker": pa.string(),
        "settings": pa.string(),
        "model_id": pa.string(),
        # Of the input, the settings and the model: what is done, is done under it.
        "key": pa.binary(_KEY_BYTES),
    }
)
# A part is written when it has so many rows, or its first row has waited so long.
_ROWS, _SECONDS = 10_000, 10


def key_of(shown, size, stamp, settings, model_id):
    """16 bytes, a hash of what an output is made of."""
    head = json.dumps([shown, size, stamp, settings, model_id])
    return hashlib.sha256(head.encode()).digest()[:_KEY_BYTES]


class Writer:
    """Writes rows, in parts, as they come.

    Args:
        target: the `Place` below which the manifest's folder is.
        schema: of the rows.
    """

    def __init__(self, target, schema=SCHEMA):
        self._target, self._schema = target, schema
        now = datetime.datetime.now(datetime.timezone.utc)
        # In order, and of no other run.
        self._run, self._parts = f"{now:%Y%m%dT%H%M%S.%fZ}", 0
        self._waiting, self._rows, self._since = [], 0, 0.0

    def add(self, table):
        """Takes rows, a `pyarrow.Table`."""
        if not self._rows:
            self._since = time.monotonic()
        self._waiting.append(table.select(self._schema.names).cast(self._schema))
        self._rows += len(table)
        if self._rows >= _ROWS or time.monotonic() - self._since > _SECONDS:
            self.flush()

    def flush(self):
        """Writes what waits.

        Raises:
            DataError: it cannot be written.
        """
        if not self._rows:
            return
        content = pa.BufferOutputStream()
        pq.write_table(pa.concat_tables(self._waiting), content, compression="zstd")
        name = posixpath.join(FOLDER, f"{self._run}-{self._parts:06}.parquet")
        self._target.write(name, content.getvalue().to_pybytes())
        self._waiting, self._rows = [], 0
        self._parts += 1


def read(target, columns=None):
    """Yields the parts of a manifest, oldest first, as tables.

    Args:
        target: the `Place` below which the manifest's folder is.
        columns: names of those to read; None for all.

    Raises:
        DataError: a part cannot be read.
    """
    for name in sorted(target.names(FOLDER)):
        if not name.endswith(".parquet"):
            continue
        path = posixpath.join(target.path, FOLDER, name)
        try:
            with target.fs.open(path, "rb") as file:
                yield pq.read_table(file, columns=columns)
        except (OSError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise DataError(
                f"cannot read {posixpath.join(target.url, FOLDER, name)}: {reason}"
            ) from error


class Done:
    """What earlier runs have done.

    Args:
        target: the `Place` of the outputs and the manifest.
        shards: names of the shards that are there.

    Attributes:
        leftovers: those of the shards that the manifest does not name.
    """

    def __init__(self, target, shards):
        files, others, named, is_empty = [], [], set(), True
        there = pa.array(shards, pa.string())
        for part in read(target, ["output", "member", "error", "key"]):
            keys = _keys(part["key"])
            well = part["error"].is_null().to_numpy()
            in_file = pa.compute.and_(
                part["output"].is_valid(), part["member"].is_null()
            ).to_numpy()
            is_gone = pa.compute.and_(
                part["member"].is_valid(),
                pa.compute.invert(pa.compute.is_in(part["output"], there)),
            ).to_numpy()
            named.update(part.filter(part["member"].is_valid())["output"].to_pylist())
            is_empty = False
            files.append(keys[well & in_file])
            others.append(keys[well & ~in_file & ~is_gone])
        self._files, self._others = _sorted(files), _sorted(others)
        # What a run left that ended before it could say so; without a manifest nobody
        # knows.
        self.leftovers = [] if is_empty else sorted({*shards} - named)

    def mask(self, keys, outputs, there):
        """Which of some pictures are done, as booleans.

        A picture whose file or shard is no longer there is not; one of which nothing
        is written is.

        Args:
            keys: of each.
            outputs: name of each one's output within its folder, were it a file.
            there: the names of the files in that folder.
        """
        keys = np.array(keys, f"S{_KEY_BYTES}")
        are_there = np.array([name in there for name in outputs], bool)
        return (_among(self._files, keys) & are_there) | _among(self._others, keys)


def _keys(column):
    """Of a chunked column, as an array of byte strings."""
    return np.array(column.to_pylist(), f"S{_KEY_BYTES}")


def _sorted(arrays):
    return np.unique(np.concatenate([np.empty(0, f"S{_KEY_BYTES}"), *arrays]))


def _among(found, keys):
    places = np.searchsorted(found, keys)
    # NumPy pads byte strings by zeros, so that all have one length.
    return np.concatenate([found, [b""]])[places] == keys
