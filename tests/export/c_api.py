"""Runs a SavedModel as TensorFlow Serving does, without TensorFlow's Python.

The C API of the library in TensorFlow's wheel loads the model through the same C++ code
as Serving and, like a stock server, knows no op but TensorFlow's own. Nothing here
imports TensorFlow. As a program

    python c_api.py DIRECTORY REQUESTS.npz ANSWERS.npz

it answers requests whose arrays are named "NUMBER/SIGNATURE/INPUT" by arrays named
"NUMBER/OUTPUT".
"""

import ctypes
import dataclasses
import importlib.util
import sys
from pathlib import Path

import numpy as np

# TF_DataType, which is also DataType of types.proto.
_DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    9: "int64",
    10: "bool",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
_NUMBERS = {np.dtype(name): number for number, name in _DTYPES.items()}


class CApiError(Exception):
    """TensorFlow's own message."""


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or output of a signature.

    Attributes:
        tensor: its name in the graph.
        dtype: a numpy dtype's name, or the number of one that numpy lacks.
        shape: tuple with None where it is dynamic; None where the rank is.
    """

    tensor: str
    dtype: str
    shape: tuple | None


@dataclasses.dataclass(frozen=True)
class Signature:
    """{name: TensorInfo} of what goes in and what comes out."""

    inputs: dict
    outputs: dict


class CApiModel:
    """A loaded SavedModel.

    Args:
        directory: of the SavedModel.
        threads: of one operation, and beside each other.

    Attributes:
        signatures: {name: Signature}, without the one that initialises.

    Raises:
        CApiError: it cannot be loaded.
    """

    def __init__(self, directory, threads=1):
        self._library = _library()
        with _Status(self._library) as status:
            options = self._library.TF_NewSessionOptions()
            # ConfigProto: intra_op_parallelism_threads, inter_op_parallelism_threads.
            config = bytes([2 << 3, threads, 5 << 3, threads])
            self._library.TF_SetConfig(options, config, len(config), status)
            self._graph = self._library.TF_NewGraph()
            meta_graph = self._library.TF_NewBuffer()
            self._session = self._library.TF_LoadSessionFromSavedModel(
                options,
                None,
                str(directory).encode(),
                (ctypes.c_char_p * 1)(b"serve"),
                1,
                self._graph,
                meta_graph,
                status,
            )
            self._library.TF_DeleteSessionOptions(options)
            content = ctypes.string_at(
                meta_graph.contents.data, meta_graph.contents.length
            )
            self._library.TF_DeleteBuffer(meta_graph)
        self.signatures = _signatures(content)

    def run(self, signature, inputs):
        """Answers a request.

        Args:
            signature: its name.
            inputs: {name: numpy array} of exactly the dtypes of the signature.

        Returns:
            {name: numpy array}.

        Raises:
            CApiError: the request does not fit, or the model fails.
        """
        if signature not in self.signatures:
            raise CApiError(f"no signature {signature!r}, {sorted(self.signatures)}")
        wanted = self.signatures[signature]
        if inputs.keys() != wanted.inputs.keys():
            raise CApiError(
                f"inputs {sorted(inputs)}, expected {sorted(wanted.inputs)}"
            )
        names = list(wanted.outputs)
        feeds = [self._output(wanted.inputs[name].tensor) for name in inputs]
        fetches = [self._output(wanted.outputs[name].tensor) for name in names]
        given = [self._tensor(np.asarray(array)) for array in inputs.values()]
        answers = (ctypes.c_void_p * len(names))()
        try:
            with _Status(self._library) as status:
                self._library.TF_SessionRun(
                    self._session,
                    None,
                    (_Output * len(feeds))(*feeds),
                    (ctypes.c_void_p * len(given))(*given),
                    len(given),
                    (_Output * len(fetches))(*fetches),
                    answers,
                    len(fetches),
                    None,
                    0,
                    None,
                    status,
                )
            return {
                name: self._array(answer)
                for name, answer in zip(names, answers, strict=True)
            }
        finally:
            for tensor in (*given, *filter(None, answers)):
                self._library.TF_DeleteTensor(tensor)

    def _output(self, tensor):
        name, _, index = tensor.partition(":")
        operation = self._library.TF_GraphOperationByName(self._graph, name.encode())
        return _Output(operation, int(index or 0))

    def _tensor(self, array):
        if array.dtype not in _NUMBERS:
            raise CApiError(f"no tensor holds {array.dtype}")
        array = np.ascontiguousarray(array).reshape(array.shape)
        tensor = self._library.TF_AllocateTensor(
            _NUMBERS[array.dtype],
            (ctypes.c_int64 * array.ndim)(*array.shape),
            array.ndim,
            array.nbytes,
        )
        data = self._library.TF_TensorData(tensor)
        ctypes.memmove(data, array.ctypes.data, array.nbytes)
        return tensor

    def _array(self, tensor):
        library = self._library
        shape = [library.TF_Dim(tensor, i) for i in range(library.TF_NumDims(tensor))]
        dtype = _DTYPES[library.TF_TensorType(tensor)]
        data = ctypes.string_at(
            library.TF_TensorData(tensor), library.TF_TensorByteSize(tensor)
        )
        return np.frombuffer(data, dtype).reshape(shape).copy()


class _Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    )


class _Status:
    """A TF_Status that turns into an exception."""

    def __init__(self, library):
        self._library = library

    def __enter__(self):
        self._status = self._library.TF_NewStatus()
        return self._status

    def __exit__(self, *_):
        code = self._library.TF_GetCode(self._status)
        message = self._library.TF_Message(self._status).decode(errors="replace")
        self._library.TF_DeleteStatus(self._status)
        if code:
            raise CApiError(f"code {code}: {message}")


def _library():
    """The wheel's library, found without importing the package."""
    folder = Path(importlib.util.find_spec("tensorflow").origin).parent
    library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"))
    pointer, number = ctypes.c_void_p, ctypes.c_int
    buffer = ctypes.POINTER(_Buffer)
    for name, result, *arguments in (
        ("TF_NewStatus", pointer),
        ("TF_DeleteStatus", None, pointer),
        ("TF_GetCode", number, pointer),
        ("TF_Message", ctypes.c_char_p, pointer),
        ("TF_NewSessionOptions", pointer),
        ("TF_SetConfig", None, pointer, ctypes.c_char_p, ctypes.c_size_t, pointer),
        ("TF_DeleteSessionOptions", None, pointer),
        ("TF_NewGraph", pointer),
        ("TF_NewBuffer", buffer),
        ("TF_DeleteBuffer", None, buffer),
        (
            "TF_LoadSessionFromSavedModel",
            pointer,
            *(pointer, pointer, ctypes.c_char_p, pointer, number, pointer),
            *(buffer, pointer),
        ),
        ("TF_GraphOperationByName", pointer, pointer, ctypes.c_char_p),
        (
            "TF_SessionRun",
            None,
            *(pointer, pointer, pointer, pointer, number, pointer, pointer, number),
            *(pointer, number, pointer, pointer),
        ),
        ("TF_AllocateTensor", pointer, number, pointer, number, ctypes.c_size_t),
        ("TF_DeleteTensor", None, pointer),
        ("TF_TensorData", pointer, pointer),
        ("TF_TensorByteSize", ctypes.c_size_t, pointer),
        ("TF_TensorType", number, pointer),
        ("TF_NumDims", number, pointer),
        ("TF_Dim", ctypes.c_int64, pointer, number),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _signatures(meta_graph):
    """{name: Signature} of a serialised MetaGraphDef."""
    return {
        name: Signature(_tensors(definition, 1), _tensors(definition, 2))
        for name, definition in _map(meta_graph, 5)
        if not name.startswith("__saved_model")
    }


def _tensors(definition, number):
    return {name: _tensor_info(info) for name, info in _map(definition, number)}


def _tensor_info(content):
    fields = dict(_fields(content))
    dtype, shape = fields.get(2, 0), None
    if 3 in fields:
        parts = list(_fields(fields[3]))
        if (3, 1) not in parts:
            sizes = [
                dict(_fields(part)).get(1, 0) for number, part in parts if number == 2
            ]
            # A negative number comes as its two's complement.
            shape = tuple(size if size < 1 << 63 else None for size in sizes)
    return TensorInfo(fields[1].decode(), _DTYPES.get(dtype, str(dtype)), shape)


def _map(content, number):
    """(key, value) of a map field whose keys are strings."""
    for field, entry in _fields(content):
        if field == number:
            entry = dict(_fields(entry))
            yield entry.get(1, b"").decode(), entry.get(2, b"")


def _fields(content):
    """(number, value) of a protocol buffer's fields; messages stay bytes."""
    place = 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = content[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(content):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            yield tag >> 3, varint()
            continue
        length = {1: 8, 2: None, 5: 4}[kind]
        if length is None:
            length = varint()
        place += length
        yield tag >> 3, content[place - length : place]


def _main(directory, requests, answers):
    model = CApiModel(directory)
    wanted = {}
    with np.load(requests) as arrays:
        for path in arrays.files:
            number, signature, name = path.split("/")
            wanted.setdefault((number, signature), {})[name] = arrays[path]
    results = {}
    for (number, signature), inputs in wanted.items():
        for name, array in model.run(signature, inputs).items():
            results[f"{number}/{name}"] = array
    assert not any(name.split(".")[0] == "tensorflow" for name in sys.modules)
    np.savez(answers, **results)


if __name__ == "__main__":
    _main(*sys.argv[1:])
