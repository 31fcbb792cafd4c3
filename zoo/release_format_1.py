"""Releases as version 0.1 wrote them, which are read and no longer written.

Arrays lie in `.npz` archives, the network's configuration has the modules of its
classes, and the id covers these: it changed when a class moved. Here it is computed as
it was then, and becomes a former id of the release.
"""

import hashlib
import json
import zipfile

import numpy as np

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
    """{name: shape} of an archive, from the first bytes of each array."""
    shapes = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                if version != (1, 0):
                    raise ValueError(f"{member} has version {version}, expected (1, 0)")
                shape, _, _ = np.lib.format.read_array_header_1_0(file)
                shapes[member.removesuffix(".npy")] = shape
    return shapes


def read_arrays(path):
    """{name: array} of an archive."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
