"""Arrays on disk as `.safetensors`: a JSON header, then the bytes of one after another.

Nothing is compressed or pickled. What the header says is compared with the size of the
file before anything is read, so that a file costs no more memory than it has bytes.
"""

import json
import math
import os
import struct

import numpy as np
import safetensors.numpy

WEIGHTS, TABLES = "weights.safetensors", "tables.safetensors"

# Some 100 bytes an array.
_LARGEST_HEADER = 2**22
_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "I64": "int64",
    "U64": "uint64",
    "I32": "int32",
    "U32": "uint32",
    "I16": "int16",
    "U16": "uint16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


def pack(arrays):
    """{name: array} to the content of a file."""
    return safetensors.numpy.save(
        {name: np.asarray(array, order="C") for name, array in arrays.items()}
    )


def read_shapes(path):
    """What is in a file, from its header alone: {name: shape}.

    Raises:
        ValueError: another kind of file, or arrays whose sizes do not add up to its
            own.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        if len(start) < 8:
            raise ValueError(f"{path.name} has {size} bytes only")
        (length,) = struct.unpack("<Q", start)
        if length > min(size - 8, _LARGEST_HEADER):
            raise ValueError(f"the header of {path.name} has {length} bytes of {size}")
        header = json.loads(file.read(length))
    if not isinstance(header, dict):
        raise ValueError(f"the header of {path.name} is not a JSON object")
    header.pop("__metadata__", None)
    shapes, content = {}, 0
    for name, entry in header.items():
        shape = tuple(entry["shape"])
        if not all(type(side) is int and side >= 0 for side in shape):
            raise ValueError(f"{name} in {path.name} has shape {entry['shape']}")
        content += math.prod(shape) * np.dtype(_DTYPES[entry["dtype"]]).itemsize
        shapes[name] = shape
    described = 8 + length + content
    if described != size:
        raise ValueError(f"{path.name} has {size} bytes, its header says {described}")
    return shapes


def read_arrays(path):
    """{name: array} of a file whose header `read_shapes` has accepted.

    Raises:
        safetensors.SafetensorError: arrays that overlap or lie outside of the file.
    """
    return safetensors.numpy.load(path.read_bytes())
