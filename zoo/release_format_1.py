"""Releases as version 0.1 wrote them, which are read and no longer written.

Arrays lie in `.npz` archives, the network's configuration has the modules of its
classes, and the id covers these: it changed when a class moved. Here it is computed as
it was then, and becomes a former id of the release.
"""

import hashlib
import json
import math
import zipfile

import numpy as np

from yoto_tf.zoo.limits import Limits

WEIGHTS, TABLES = "weights.npz", "tables.npz"


def release_id(config, weights, tables):
    """The 8 bytes that named configuration (with modules), weights and tables."""
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode())
    for arrays in (weights, tables):
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            digest.update(f"{name} {array.dtype} {array.shape}".encode())
            digest.update(array.tobytes())
    return digest.digest()[:8]


def read_shapes(path):
    """{name: shape} of an archive, from the first bytes of each array.

    Raises:
        ValueError: arrays that are not as large as the archive says, or far larger than
            it is.
    """
    shapes, described = {}, 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                if version != (1, 0):
                    raise ValueError(
                        f"{member.filename} has version {version}, expected (1, 0)"
                    )
                shape, _, dtype = np.lib.format.read_array_header_1_0(file)
                content = math.prod(shape) * dtype.itemsize
                if dtype.hasobject or file.tell() + content != member.file_size:
                    raise ValueError(
                        f"{member.filename} has {member.file_size} bytes, its header "
                        f"says {content} of {dtype}"
                    )
            described += content
            shapes[member.filename.removesuffix(".npy")] = shape
    most = Limits.from_environment().content_bytes(path.stat().st_size)
    if described > most:
        raise ValueError(f"{path.name} unpacks to {described:,} bytes of {most:,}")
    return shapes


def read_arrays(path):
    """{name: array} of an archive."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
