"""A stand-in for tensorflow_model_server, which no package registry has.

It takes the server's own flags and models.config, speaks the official messages over
gRPC and the documented JSON over REST, and runs SavedModels through the C API of
TensorFlow's library, as the server does; it never runs TensorFlow's Python. What it
does not have: batching, reloading, other services than Predict, GetModelMetadata and
GetModelStatus. Errors carry the codes, and about the words, of the real server.

    python serving_stand_in.py --port=0 --rest_api_port=0 --model_config_file=FILE

prints "PORT REST_PORT" once it is ready.
"""

import argparse
import concurrent.futures
import http.server
import importlib.util
import json
import re
import sys
import threading
import types
from pathlib import Path

import grpc
import numpy as np
from c_api import CApiError, CApiModel

# TensorFlow's messages without TensorFlow: a package of its name that is only a folder.
_spec = importlib.util.find_spec("tensorflow")
_package = types.ModuleType("tensorflow")
_package.__spec__ = _spec
_package.__path__ = list(_spec.submodule_search_locations)
sys.modules["tensorflow"] = _package

from google.protobuf import json_format, text_format  # noqa: E402
from tensorflow_serving.apis import (  # noqa: E402
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2  # noqa: E402

_FIELDS = {"float32": "float_val", "int32": "int_val", "int64": "int64_val"}
_NUMBERS = {"float32": 1, "int32": 3, "int64": 9}
_Code = grpc.StatusCode
_HTTP_STATUS = {_Code.NOT_FOUND: 404, _Code.INVALID_ARGUMENT: 400}
_PATH = re.compile(
    r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
    r"(?P<what>:predict|/metadata)?"
)


class Refusal(Exception):
    """An answer other than OK."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Models:
    """What models.config names, loaded and warmed up."""

    def __init__(self, config_file):
        config = text_format.Parse(
            Path(config_file).read_text("utf-8"),
            model_server_config_pb2.ModelServerConfig(),
        )
        self._versions, self._labels = {}, {}
        for model in config.model_config_list.config:
            loaded = {}
            for version in model.model_version_policy.specific.versions:
                folder = Path(model.base_path, str(version))
                loaded[version] = CApiModel(folder)
                _warm_up(loaded[version], folder)
            self._versions[model.name] = loaded
            self._labels[model.name] = dict(model.version_labels)

    def find(self, spec):
        """The model and version that a ModelSpec asks for."""
        versions = self._versions.get(spec.name)
        if versions is None:
            raise Refusal(
                _Code.NOT_FOUND,
                f"Servable not found for request: Latest({spec.name})",
            )
        version = max(versions)
        if spec.HasField("version"):
            version = spec.version.value
        elif spec.version_label:
            labels = self._labels[spec.name]
            if spec.version_label not in labels:
                raise Refusal(
                    _Code.INVALID_ARGUMENT,
                    f"Unrecognized servable version label: {spec.version_label}",
                )
            version = labels[spec.version_label]
        if version not in versions:
            raise Refusal(
                _Code.NOT_FOUND,
                f"Servable not found for request: Specific({spec.name}, {version})",
            )
        return versions[version], version

    def predict(self, request):
        """PredictRequest to PredictResponse."""
        model, version = self.find(request.model_spec)
        name = request.model_spec.signature_name or "serving_default"
        if name not in model.signatures:
            raise Refusal(
                _Code.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.'
            )
        signature = model.signatures[name]
        if request.inputs.keys() != signature.inputs.keys():
            raise Refusal(
                _Code.INVALID_ARGUMENT,
                "input size does not match signature: "
                f"{sorted(request.inputs)} != {sorted(signature.inputs)}",
            )
        inputs = {key: _to_array(request.inputs[key]) for key in request.inputs}
        for key, array in inputs.items():
            _check_fit(key, array, signature.inputs[key])
        for key in request.output_filter:
            if key not in signature.outputs:
                raise Refusal(
                    _Code.INVALID_ARGUMENT,
                    f"output tensor alias not found in signature: {key}",
                )
        try:
            outputs = model.run(name, inputs)
        except CApiError as error:
            raise Refusal(_Code.INVALID_ARGUMENT, str(error)) from error
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        response.model_spec.signature_name = name
        for key in request.output_filter or outputs:
            _fill(response.outputs[key], outputs[key])
        return response

    def metadata(self, request):
        """GetModelMetadataRequest to GetModelMetadataResponse."""
        model, version = self.find(request.model_spec)
        if list(request.metadata_field) != ["signature_def"]:
            raise Refusal(_Code.INVALID_ARGUMENT, "Metadata field is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, signature in model.signatures.items():
            definition = definitions.signature_def[name]
            definition.method_name = "tensorflow/serving/predict"
            _fill_infos(definition.inputs, signature.inputs)
            _fill_infos(definition.outputs, signature.outputs)
        # The server lists the loader's own entry too.
        definitions.signature_def["__saved_model_init_op"].outputs[
            "__saved_model_init_op"
        ].tensor_shape.unknown_rank = True
        response.metadata["signature_def"].Pack(definitions)
        return response

    def status(self, request):
        """GetModelStatusRequest to GetModelStatusResponse."""
        self.find(request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self._versions[request.model_spec.name]:
            response.model_version_status.add(
                version=version,
                state=get_model_status_pb2.ModelVersionStatus.AVAILABLE,
            ).status.SetInParent()
        return response


def _warm_up(model, folder):
    """Runs assets.extra/tf_serving_warmup_requests; raises what a request raises."""
    path = folder / "assets.extra" / "tf_serving_warmup_requests"
    for record in _records(path.read_bytes()) if path.exists() else ():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        request = log.predict_log.request
        inputs = {key: _to_array(request.inputs[key]) for key in request.inputs}
        model.run(request.model_spec.signature_name or "serving_default", inputs)


def _records(content):
    """The records of a TFRecord file; its checksums are left alone."""
    while content:
        length = int.from_bytes(content[:8], "little")
        yield content[12 : 12 + length]
        content = content[12 + length + 4 :]


def _to_array(tensor):
    dtype = next((d for d, n in _NUMBERS.items() if n == tensor.dtype), None)
    if dtype is None:
        raise Refusal(_Code.INVALID_ARGUMENT, f"type {tensor.dtype} is not supported")
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        array = np.frombuffer(tensor.tensor_content, dtype)
    else:
        array = np.array(getattr(tensor, _FIELDS[dtype]), dtype)
    if array.size != np.prod(shape, dtype=int):
        raise Refusal(_Code.INVALID_ARGUMENT, "tensor parsing error")
    return array.reshape(shape)


def _fill(tensor, array):
    """As the server answers: values one by one, not as bytes."""
    tensor.dtype = _NUMBERS[array.dtype.name]
    tensor.tensor_shape.SetInParent()
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    getattr(tensor, _FIELDS[array.dtype.name]).extend(array.ravel().tolist())


def _fill_infos(target, infos):
    for name, info in infos.items():
        target[name].name = info.tensor
        target[name].dtype = _NUMBERS[info.dtype]
        shape = target[name].tensor_shape
        if info.shape is None:
            shape.unknown_rank = True
            continue
        shape.SetInParent()
        for size in info.shape:
            shape.dim.add(size=-1 if size is None else size)


def _check_fit(name, array, info):
    if array.dtype.name != info.dtype:
        raise Refusal(
            _Code.INVALID_ARGUMENT,
            f"input {name} is {array.dtype.name}, the model takes {info.dtype}",
        )


def _grpc_method(method):
    """A handler whose refusals become status codes."""

    def handle(_, request, context):
        try:
            return method(request)
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))

    return handle


def serve_grpc(models, port, max_bytes):
    server = grpc.server(
        concurrent.futures.ThreadPoolExecutor(2),
        options=[
            ("grpc.max_receive_message_length", max_bytes),
            ("grpc.max_send_message_length", -1),
        ],
    )

    class Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
        Predict = _grpc_method(models.predict)
        GetModelMetadata = _grpc_method(models.metadata)

    class Status(model_service_pb2_grpc.ModelServiceServicer):
        GetModelStatus = _grpc_method(models.status)

    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        Prediction(), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(Status(), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    # It stops when nobody holds it any more.
    return port, server


class RestHandler(http.server.BaseHTTPRequestHandler):
    """https://www.tensorflow.org/tfx/serving/api_rest"""

    models = None

    def do_GET(self):
        self._answer(None)

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        pass

    def _answer(self, body):
        try:
            status, content = 200, self._result(body)
        except Refusal as refusal:
            status = _HTTP_STATUS.get(refusal.code, 400)
            content = json.dumps({"error": str(refusal)})
        content = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _result(self, body):
        match = _PATH.fullmatch(self.path)
        if not match or (match["what"] == ":predict") != (body is not None):
            raise Refusal(_Code.INVALID_ARGUMENT, "Malformed request")
        request = {
            ":predict": predict_pb2.PredictRequest,
            "/metadata": get_model_metadata_pb2.GetModelMetadataRequest,
            None: get_model_status_pb2.GetModelStatusRequest,
        }[match["what"]]()
        request.model_spec.name = match["name"]
        if match["version"]:
            request.model_spec.version.value = int(match["version"])
        if match["label"]:
            request.model_spec.version_label = match["label"]
        if match["what"] == "/metadata":
            request.metadata_field.append("signature_def")
            return _to_json(self.models.metadata(request))
        if match["what"] is None:
            return _to_json(self.models.status(request))
        body = json.loads(body)
        request.model_spec.signature_name = body.get("signature_name", "")
        by_row = "instances" in body
        self._fill_inputs(request, body, by_row)
        outputs = {
            name: _to_array(tensor)
            for name, tensor in self.models.predict(request).outputs.items()
        }
        if not by_row:
            columns = {name: array.tolist() for name, array in outputs.items()}
            one = next(iter(columns.values())) if len(columns) == 1 else columns
            return json.dumps({"outputs": one})
        rows = zip(*(array.tolist() for array in outputs.values()), strict=True)
        if len(outputs) == 1:
            return json.dumps({"predictions": [row[0] for row in rows]})
        named = [dict(zip(outputs, row, strict=True)) for row in rows]
        return json.dumps({"predictions": named})

    def _fill_inputs(self, request, body, by_row):
        model, _ = self.models.find(request.model_spec)
        name = request.model_spec.signature_name or "serving_default"
        if name not in model.signatures:
            raise Refusal(
                _Code.INVALID_ARGUMENT, f'Serving signature name: "{name}" not found'
            )
        infos = model.signatures[name].inputs
        if by_row:
            rows = body["instances"]
            if not isinstance(rows[0], dict):
                rows = [{next(iter(infos)): row} for row in rows]
            columns = {key: [row[key] for row in rows] for key in rows[0]}
        else:
            columns = body["inputs"]
            if not isinstance(columns, dict):
                columns = {next(iter(infos)): columns}
        for key, values in columns.items():
            array = np.array(values)
            dtype = infos[key].dtype if key in infos else "float32"
            if array.size and array.dtype.kind == "f" and dtype != "float32":
                raise Refusal(_Code.INVALID_ARGUMENT, f"JSON Value is not {dtype}")
            _fill(request.inputs[key], array.astype(dtype))


def _to_json(message):
    options = {"preserving_proto_field_name": True}
    # Renamed in protobuf 5.
    for name in (
        "including_default_value_fields",
        "always_print_fields_with_no_presence",
    ):
        if name in json_format.MessageToJson.__code__.co_varnames:
            options[name] = True
    return json_format.MessageToJson(message, **options)


def serve_rest(models, port):
    handler = type("Handler", (RestHandler,), {"models": models})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rest_api_port", type=int, required=True)
    parser.add_argument("--model_config_file", required=True)
    parser.add_argument("--max_request_bytes", type=int, default=-1)
    parser.add_argument("--allow_version_labels_for_unavailable_models")
    options = parser.parse_args()
    models = Models(options.model_config_file)
    port, _server = serve_grpc(models, options.port, options.max_request_bytes)
    print(port, serve_rest(models, options.rest_api_port), flush=True)
    # It ends with the process that started it, at the latest.
    sys.stdin.read()


if __name__ == "__main__":
    main()
