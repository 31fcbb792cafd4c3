"""Requests over REST: tensors as JSON, for networks that block gRPC.

A picture takes some five times the bytes and fifty times the time of gRPC.
"""

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

from yoto_tf.errors import DataError
from yoto_tf.export.serving.client.deadline import TooLarge, TooSlow, read_in_time
from yoto_tf.export.serving.client.transport import (
    ServingError,
    Signature,
    TensorSpec,
    Transport,
)

# The largest answer that is read: some 30 million numbers.
MAX_BYTES = 2**29
# What may be raised by reading JSON whose structure is not the expected one.
_MISREAD = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)
_DTYPES = {
    "DT_FLOAT": "float32",
    "DT_INT32": "int32",
    "DT_INT64": "int64",
    "DT_UINT8": "uint8",
    "DT_BOOL": "bool",
    "DT_STRING": "bytes",
}


class RestTransport(Transport):
    """The REST address of one model.

    Args:
        address: "HOST:PORT" or "http[s]://HOST[:PORT]".
        servable: a `Servable`.
        timeout: seconds until a request is given up.
    """

    def __init__(self, address, servable, timeout):
        url = address if "://" in address else f"http://{address}"
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ServingError(f"expected an http:// address, got {address!r}")
        super().__init__(address, servable, timeout)
        quoted = urllib.parse.quote
        self._url = f"{url.rstrip('/')}/v1/models/{quoted(servable.name, safe='')}"
        if servable.version is not None:
            self._url += f"/versions/{servable.version}"
        if servable.label is not None:
            self._url += f"/labels/{quoted(servable.label, safe='')}"
        self._known = None

    def predict(self, signature, inputs, outputs):
        """Runs a signature; see `GrpcTransport.predict`.

        Raises:
            ServingError: no answer, a refusal, or a malformed answer.
            DataError: tensors that JSON does not carry.
        """
        # By columns, so that one vector of coefficients can serve a whole batch; rows
        # would need one for each picture.
        body = {
            "signature_name": signature,
            "inputs": {name: _to_json(name, array) for name, array in inputs.items()},
        }
        answer = self._ask(":predict", json.dumps(body).encode())
        specs = self.signatures()[signature].outputs
        try:
            answer = answer["outputs"]
            if len(specs) == 1:
                # A single output comes without its name.
                answer = dict.fromkeys(specs, answer)
            return {name: _to_array(answer[name], specs[name]) for name in outputs}
        except _MISREAD as error:
            raise self._malformed(error) from error

    def signatures(self):
        """{name: Signature} of the model; asked for once.

        Raises:
            ServingError: no answer, or a refusal.
        """
        if self._known is None:
            answer = self._ask("/metadata")
            try:
                found = answer["metadata"]["signature_def"]["signature_def"]
                self._known = {
                    name: Signature(_specs(entry["inputs"]), _specs(entry["outputs"]))
                    for name, entry in self._served(found)
                }
            except _MISREAD as error:
                raise self._malformed(error) from error
        return self._known

    def close(self):
        """Nothing: every request has a connection of its own."""

    def _ask(self, suffix, body=None):
        request = urllib.request.Request(
            self._url + suffix, body, {"Content-Type": "application/json"}
        )
        try:
            content = read_in_time(request, self._timeout, MAX_BYTES)
        except urllib.error.HTTPError as error:
            raise self._explained(error) from None
        except TooSlow:
            raise self._too_slow() from None
        except TooLarge:
            reason = f"more than {MAX_BYTES:,} bytes"
            raise self._malformed(reason) from None
        except urllib.error.URLError as error:
            raise self._unreachable(error.reason) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise self._unreachable(reason) from None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise self._malformed(error) from None

    def _explained(self, error):
        if error.code == 404:
            return self._not_served()
        if error.code == 413:
            return self._too_large()
        text = error.text
        try:
            text = json.loads(text)["error"]
        except (ValueError, KeyError, TypeError):
            text = f"HTTP status {error.code}, {text or error.reason}"
        return self._refused(text)


def _specs(entries):
    return {name: _spec(entry) for name, entry in sorted(entries.items())}


def _spec(entry):
    shape = entry["tensor_shape"]
    sizes = [int(dim["size"]) for dim in shape["dim"]]
    return TensorSpec(
        _DTYPES.get(entry["dtype"], entry["dtype"]),
        None
        if shape["unknown_rank"]
        else tuple(None if size < 0 else size for size in sizes),
    )


def _to_json(name, array):
    if array.dtype == object:
        raise DataError(f"input {name} holds bytes, which need gRPC")
    return array.tolist()


def _to_array(values, spec):
    if spec.dtype not in _DTYPES.values() or spec.dtype == "bytes":
        raise DataError(f"the server answers with {spec.dtype}, which needs gRPC")
    with np.errstate(over="ignore"):
        array = np.array(values)
        kinds = {"f": "iuf", "b": "b"}.get(np.dtype(spec.dtype).kind, "iu")
        if array.size and array.dtype.kind not in kinds:
            raise ValueError(f"{array.dtype} values for {spec.dtype}")
        typed = array.astype(spec.dtype)
    if typed.dtype.kind in "iu" and not np.array_equal(typed, array):
        raise ValueError(f"values beyond {spec.dtype}")
    return typed
