"""A server that answers anything: the client hands none of it on, and ends in time."""

import concurrent.futures
import contextlib
import json
import shutil
import socket
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from http_servers import running
from hypothesis import given, settings
from hypothesis import strategies as st

from yoto_tf.errors import DataError, YotoError
from yoto_tf.export.serving import Client, ServingError, messages
from yoto_tf.export.serving.client import deadline
from yoto_tf.export.serving.tensors import fill_tensor, to_array

grpc = pytest.importorskip("grpc")


def spec(dtype, *sizes):
    dims = [{"size": str(size)} for size in sizes]
    return {"dtype": dtype, "tensor_shape": {"dim": dims, "unknown_rank": False}}


INTEGERS = spec("DT_INT32", -1, -1, -1, -1)
PICTURE = spec("DT_FLOAT", -1, -1, -1, 3)
DIAL = spec("DT_FLOAT", -1, 1)
SIGNATURES = {
    "analyze": {
        "inputs": {"image": PICTURE, "coefficients": DIAL},
        "outputs": {"hyper_latents": INTEGERS, "symbols": INTEGERS},
    },
    "scales": {
        "inputs": {"hyper_latents": INTEGERS, "coefficients": DIAL},
        "outputs": {"indexes": INTEGERS},
    },
    "synthesize": {
        "inputs": {
            "hyper_latents": INTEGERS,
            "symbols": INTEGERS,
            "coefficients": DIAL,
        },
        "outputs": {"image": PICTURE},
    },
}


class Server:
    """Answers each POST by a function of the request, or raw bytes."""

    def __init__(self):
        self.answer, self.metadata = None, {"signature_def": SIGNATURES}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def reply(self, value):
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.reply({"metadata": {"signature_def": outer.metadata}})

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                answer = outer.answer(request, self)
                if answer is not None:
                    self.reply(answer)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server():
    server = Server()
    with running(server.http):
        yield server


@pytest.fixture
def client(server, release_folder):
    return Client(None, rest=server.address, model=release_folder, timeout=20)


@pytest.fixture(scope="module")
def image(photograph):
    return photograph[:128, :128]


@pytest.fixture(scope="module")
def data(untrained_codec, image):
    return untrained_codec.compress(image, quality=0.5)


def true_scales(codec, request):
    """What the server of this codec answers about tables."""
    inputs = request["inputs"]
    level = codec.coding.levels.index(np.array(inputs["coefficients"]).ravel())
    hyper_latents = np.array(inputs["hyper_latents"])[0]
    return {"outputs": codec.coding.scales(hyper_latents, level)[None].tolist()}


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((1, 8, 8, 3)), r"a picture \[1, 8, 8, 3\], expected \[1, 128, 128"),
        (np.full((1, 128, 128, 3), np.nan), "not finite"),
        (np.full((1, 128, 128, 3), np.inf), "not finite"),
        (np.full((1, 128, 128, 3), 1e300), "not finite"),
        (np.zeros((128, 128, 3)), "its signature says float32"),
        (np.zeros((1, 128, 128, 4)), "its signature says float32"),
        (np.zeros(0), "its signature says float32"),
    ],
)
def test_wrong_picture(picture, message, server, client, untrained_codec, data):
    def answer(request, _):
        if request["signature_name"] == "scales":
            return true_scales(untrained_codec, request)
        return {"outputs": picture.tolist()}

    server.answer = answer
    with pytest.raises(ServingError, match=message):
        client.decompress(data)


@pytest.mark.parametrize("change", ["cropped", "huge", "fractions"])
def test_integers_of_another_picture(change, server, client, untrained_codec, image):
    """No file is written that would not open, or open as something else."""
    vector = untrained_codec.vector(0.5)
    rows = 64 if change == "cropped" else 128
    hyper_latents, symbols = untrained_codec._encode(image[:rows], vector)
    if change == "huge":
        symbols = np.full_like(symbols, 2**30)
    if change == "fractions":
        symbols = symbols + 0.5

    def answer(request, _):
        if request["signature_name"] == "scales":
            return true_scales(untrained_codec, request)
        outputs = {"hyper_latents": hyper_latents, "symbols": symbols}
        return {"outputs": {name: a[None].tolist() for name, a in outputs.items()}}

    server.answer = answer
    with pytest.raises(ServingError):
        client.compress(image, quality=0.5)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["outputs", "image", "a"]), inner, max_size=3)
    ),
)


def test_any_json(server, client, data):
    """Errors are of the client's own kind, whatever comes."""
    client.signatures()

    @settings(max_examples=60)
    @given(JSON | st.binary(max_size=20) | JSON.map(lambda value: {"outputs": value}))
    def check(value):
        server.answer = lambda request, _: value
        with pytest.raises(ServingError) as caught:
            client.decompress(data)
        assert "\n" not in str(caught.value)

    check()


@pytest.mark.parametrize("body", [b"[" * 10**6, b'{"outputs": 1' + b"0" * 10**4 + b"}"])
def test_json_that_breaks_parsers(body, server, client, data):
    server.answer = lambda request, _: body
    with pytest.raises(ServingError, match="sent a malformed answer"):
        client.decompress(data)


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"signature_def": []}, {"signature_def": {"analyze": {}}}],
)
def test_metadata_that_are_none(metadata, server, client):
    server.metadata = metadata
    with pytest.raises(ServingError, match="sent a malformed answer"):
        client.signatures()


def test_answer_larger_than_any(server, client, data, monkeypatch):
    where = "yoto_tf.export.serving.client.rest_transport.MAX_BYTES"
    client.signatures()
    monkeypatch.setattr(where, 10**5)
    server.answer = lambda request, _: b" " * (10**5 + 1)
    with pytest.raises(ServingError, match="more than 100,000 bytes"):
        client.decompress(data)


@pytest.mark.parametrize("part", ["body", "headers", "error"])
def test_byte_by_byte(part, server, release_folder, data):
    """The timeout is that of the request, not that of a byte."""
    client = Client(None, rest=server.address, model=release_folder, timeout=1.5)
    client.signatures()

    def drip(_, handler):
        if part == "headers":
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
        else:
            handler.send_response(200 if part == "body" else 400)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
        for _ in range(90):
            with contextlib.suppress(OSError):
                handler.wfile.write(b"a")
                handler.wfile.flush()
            time.sleep(0.1)

    server.answer = drip
    before = time.monotonic()
    with pytest.raises(ServingError, match=r"did not answer within 1\.5 s"):
        client.decompress(data)
    assert time.monotonic() - before < 5


def test_no_socket_is_left_open(server, client, monkeypatch):
    made = []
    dup = socket.socket.dup
    monkeypatch.setattr(
        deadline.socket.socket, "dup", lambda self: made.append(dup(self)) or made[-1]
    )
    client.signatures()
    assert [connection.fileno() for connection in made] == [-1]


@pytest.mark.parametrize("shape", [[2**40], [2**20, 2**20], [-1], [2**62, 4]])
def test_one_value_for_any_memory(shape):
    tensor = messages.Tensor(dtype=1, float_val=[1.0])
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    with pytest.raises(DataError, match="1 values for the shape"):
        to_array(tensor)


@given(st.binary(max_size=200))
def test_any_bytes_of_a_message(content):
    tensor = messages.Tensor()
    try:
        tensor.ParseFromString(content)
    except Exception:
        return
    try:
        to_array(tensor)
    except YotoError:
        return


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The paths of a key and of a certificate for localhost, signed by itself."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem",
        shell=True,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return key.read_bytes(), certificate.read_bytes()


def served(handler, credentials):
    """A gRPC server on a free port that answers every method by a function."""

    class Any(grpc.GenericRpcHandler):
        def service(self, details):
            return grpc.unary_unary_rpc_method_handler(handler)

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([Any()])
    if credentials is None:
        port = server.add_insecure_port("localhost:0")
    else:
        port = server.add_secure_port("localhost:0", credentials)
    server.start()
    return server, f"localhost:{port}"


def signatures_of_a_dial():
    """The answer of a server whose model has one output of one number."""
    found = messages.SignatureDefMap()
    ask = found.signature_def["ask"]
    for tensor in (ask.inputs["x"], ask.outputs["y"]):
        tensor.dtype = 1
        tensor.tensor_shape.dim.add(size=1)
    response = messages.GetModelMetadataResponse()
    response.metadata["signature_def"].value = found.SerializeToString()
    return response.SerializeToString()


def test_grpc_over_tls(certificate):
    credentials = grpc.ssl_server_credentials([certificate])
    server, address = served(lambda request, _: signatures_of_a_dial(), credentials)
    try:
        trusted = grpc.ssl_channel_credentials(certificate[1])
        with Client(address, "dial", credentials=trusted, timeout=20) as client:
            assert list(client.signatures()) == ["ask"]
        for other in (None, grpc.ssl_channel_credentials()):
            client = Client(address, "dial", credentials=other, timeout=5)
            with client, pytest.raises(ServingError):
                client.signatures()
    finally:
        server.stop(None)


def tensor_answer(name, array, dtype=None):
    response = messages.PredictResponse()
    fill_tensor(response.outputs[name], array)
    if dtype is not None:
        response.outputs[name].dtype = dtype
    return response.SerializeToString()


@pytest.mark.parametrize(
    "answer",
    [
        b"\xff\xff",
        b"",
        tensor_answer("z", np.zeros(1, "float32")),
        tensor_answer("y", np.zeros(2, "float32")),
        tensor_answer("y", np.zeros(1, "int32")),
        tensor_answer("y", np.zeros(1, "float32"), dtype=19),
        tensor_answer("y", np.zeros(3, "uint8"), dtype=1),
    ],
)
def test_grpc_answer_that_is_none(answer):
    answers = iter([signatures_of_a_dial(), answer])
    server, address = served(lambda request, _: next(answers), None)
    try:
        client = Client(address, "dial", timeout=20)
        with client, pytest.raises(ServingError) as caught:
            client.predict({"x": [1.0]}, "ask")
        assert "\n" not in str(caught.value)
    finally:
        server.stop(None)
