"""The client and an independent one, against a server of TensorFlow Serving's protocol.

Every test of `server` runs against the stand-in, and against the real
tensorflow_model_server where one is on the PATH.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import keras
import numpy as np
import pytest
from model_server import STAND_IN, free_port, start, stop

from yoto_tf import Coefficients, LogUniform, zoo
from yoto_tf.errors import CoefficientError, DataError, FormatError, RecipeError
from yoto_tf.export.serving import Client, ServingError
from yoto_tf.export.serving.configuration import with_version
from yoto_tf.export.serving.warmup import write_warmup
from yoto_tf.zoo.codec import Codec, Hyperprior

pytest.importorskip("grpc")
pytest.importorskip(
    "tensorflow_serving.apis.predict_pb2",
    reason="needs tensorflow-serving-api: pip install 'yoto_tf[test]'",
)

REAL = shutil.which("tensorflow_model_server")
KINDS = {
    "codec": "Hyperprior",
    "context": "ContextHyperprior",
    "factorized": "FactorizedPrior",
    "stylization": "stylizer",
    "vae": "vae",
}
# The stand-in's own limit; the real server takes whatever a message can hold.
STAND_IN_OPTIONS = ["--max_request_bytes=5000000"]
TRANSPORTS = ("grpc", "rest")
# A client without TensorFlow and Keras.
WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
sys.modules["tensorflow_compression_ops"] = None
sys.modules["keras"] = None
import numpy as np
from yoto_tf.export.serving import Client
address, codec, stylizer, folder = sys.argv[1:]
image = np.load(f"{folder}/image.npy")
client = Client(address, "stylization", model=stylizer)
np.save(f"{folder}/stylized.npy", client.stylize(image, "dots", content=0.1))
client = Client(address, "codec", model=codec)
data = client.compress(image, distortion=0.02)
open(f"{folder}/image.yoto", "wb").write(data)
np.save(f"{folder}/decoded.npy", client.decompress(data))
"""


@pytest.fixture(scope="module")
def models(model_of):
    """{name: object of the zoo}."""
    return {name: model_of(kind) for name, kind in KINDS.items()}


@pytest.fixture(scope="module")
def folder(exported, tmp_path_factory):
    """All of them as a serving folder, with two versions of the VAE.

    From SavedModels that other tests use too; `write` has its own tests.
    """
    directory = tmp_path_factory.mktemp("serving")
    text = ""
    for name, version in [*((name, 1) for name in KINDS), ("vae", 2)]:
        path = directory / "models" / name / str(version)
        shutil.copytree(exported(KINDS[name]), path)
        write_warmup(path, name)
        text = with_version(text, name, version)
    (directory / "models.config").write_text(text)
    return directory


@pytest.fixture(scope="module", params=["stand-in", "tensorflow_model_server"])
def server(request, folder, tmp_path_factory):
    if request.param == "stand-in":
        program = [*STAND_IN, *STAND_IN_OPTIONS]
    elif REAL:
        program = [REAL]
    else:
        pytest.skip("tensorflow_model_server is not on the PATH")
    server = start(program, folder, tmp_path_factory.mktemp("config"), "vae")
    yield server
    stop(server.process)


@pytest.fixture
def connect(server, folder):
    """Makes clients, which are closed in the end."""
    clients = []

    def make(name, transport="grpc", **options):
        where = {"address": server.grpc}
        if transport == "rest":
            where = {"address": None, "rest": server.rest}
        options.setdefault("model", folder / "models" / name / "1")
        clients.append(Client(name=name, **{**where, **options}))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def assert_same_picture(actual, expected):
    """But for pixels between two values, which the last bit of a float may decide."""
    difference = np.abs(actual.astype(int) - expected)
    assert difference.max() <= 1
    assert difference.mean() < 1e-3


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_signatures_are_those_of_the_manifest(connect, folder, transport):
    manifest = folder / "models" / "codec" / "1" / "assets" / "yoto.json"
    expected = json.loads(manifest.read_text())["signatures"]
    found = connect("codec", transport).signatures()
    assert found.keys() == {*expected, "serving_default"}
    for name, signature in expected.items():
        for part in ("inputs", "outputs"):
            specs = getattr(found[name], part)
            assert {k: spec.dtype for k, spec in specs.items()} == {
                k: tensor["dtype"] for k, tensor in signature[part].items()
            }
    assert found["analyze"].inputs["image"].shape == (None, None, None, 3)
    assert found["analyze"].inputs["coefficients"].shape is None


@pytest.mark.parametrize("name", ["codec", "context", "factorized"])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (64, 128), (130, 77)])
def test_a_server_compresses_as_the_codec_does(
    connect, models, photograph, name, height, width
):
    image = photograph[200 : 200 + height, 100 : 100 + width]
    client, codec = connect(name), models[name]
    for setting in ({"quality": 0.1}, {"distortion": 0.02}, {}):
        data = client.compress(image, **setting)
        assert data == codec.compress(image, **setting)
        assert_same_picture(client.decompress(data), codec.decompress(data))


def test_over_rest_too(connect, models, photograph):
    image = photograph[200:264, 100:150]
    client, codec = connect("codec", "rest"), models["codec"]
    data = client.compress(image, distortion=0.02)
    assert data == codec.compress(image, distortion=0.02)
    assert_same_picture(client.decompress(data), codec.decompress(data))


def test_answers_above_four_mebibytes_arrive(connect, models):
    image = np.zeros((600, 640, 3), "uint8")
    answer = connect("codec").predict(
        {"image": image[None] / 255, "coefficients": [0.02]}, "reconstruct"
    )
    assert answer["image"].nbytes > 2**22


def test_files_of_other_models_are_refused(connect, models, photograph):
    data = models["factorized"].compress(photograph[:16, :16])
    with pytest.raises(FormatError, match=r"written by model .* this is model"):
        connect("codec").decompress(data)
    with pytest.raises(FormatError, match="checksum"):
        connect("factorized").decompress(data[:-1])


def test_another_context_on_the_server_is_noticed(
    connect, models, photograph, tmp_path
):
    """Of which all but the last layer of the context is the same."""
    models["context"].save(tmp_path)
    codec = zoo.load(str(tmp_path))
    kernel = codec.model.scale_context.outer_kernel
    kernel.assign(-kernel)
    Codec.from_network(codec.model).save(tmp_path / "other")
    client = connect("context", model=tmp_path / "other")
    with pytest.raises(ServingError, match="runs another model"):
        client.compress(photograph[:64, :64])


def test_another_model_on_the_server_is_noticed(connect, photograph, tmp_path):
    keras.utils.set_random_seed(5)
    network = Hyperprior(
        Coefficients(distortion=LogUniform(0.0018, 0.18)), (8, 16, 24, 32), 8
    )
    network.build(None)
    Codec.from_network(network).save(tmp_path)
    client = connect("codec", model=tmp_path)
    with pytest.raises(ServingError, match="runs another model"):
        client.compress(photograph[:64, :64])


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_stylizes_as_the_stylizer_does(connect, models, photograph, transport):
    image = photograph[100:148, 100:170]
    how = ({"dots": 0.3, "checks": 0.7}, {"content": 0.1, "style_2": 0.9})
    actual = connect("stylization", transport).stylize(image, how[0], **how[1])
    expected = models["stylization"].stylize(image, how[0], **how[1])
    assert_same_picture(actual, expected)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_samples_as_the_vae_does(connect, models, transport):
    client, vae = connect("vae", transport), models["vae"]
    actual = client.sample(3, seed=1, kl=2.0)
    expected = vae.sample(3, seed=1, kl=2.0)
    assert_same_picture(actual, expected)
    actual, expected = (m.reconstruct(expected, kl=8.0) for m in (client, vae))
    assert_same_picture(actual, expected)


def test_a_server_reconstructs_as_the_codec_does(connect, models, photograph):
    image = photograph[200:264, 100:150]
    actual = connect("codec").reconstruct(image, quality=0.5)
    expected = models["codec"].reconstruct(image, quality=0.5)
    assert_same_picture(actual, expected)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("vectors", [[2.0], [[2.0]], [[2.0], [2.0]]])
def test_one_vector_serves_a_batch(connect, transport, vectors):
    client = connect("vae", transport)
    noise = np.random.default_rng(0).standard_normal((2, 4))
    answer = client.predict({"noise": noise, "coefficients": vectors}, "sample")
    one = client.predict({"noise": noise[1:], "coefficients": [[2.0]]}, "sample")
    np.testing.assert_allclose(answer["image"][1], one["image"][0], atol=1e-6)


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("vector", [[[2.0, 2.0]], 2.0, [[[2.0]], [[2.0]]]])
def test_vectors_of_another_model_are_refused(connect, transport, vector):
    inputs = {"noise": np.zeros((2, 4)), "coefficients": vector}
    with pytest.raises(DataError, match=r"coefficients is .*expected \[1\] or"):
        connect("vae", transport).predict(inputs, "sample")
    # A client that does not know the model leaves it to the server.
    with pytest.raises(ServingError, match=r"refused the request: .*coefficients"):
        connect("vae", transport, model=None).predict(inputs, "sample")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_versions_and_labels_choose(connect, server, transport):
    noise = {"noise": np.zeros((1, 4)), "coefficients": [2.0]}
    for choice in ({}, {"version": 1}, {"version": 2}, {"label": "stable"}):
        client = connect("vae", transport, **choice)
        assert client.predict(noise, "sample")["image"].shape == (1, 16, 16, 3)
    with pytest.raises(ServingError, match="model 'vae', version 3"):
        connect("vae", transport, version=3).signatures()
    with pytest.raises(ServingError, match=r"refused.*canary|label 'canary'"):
        connect("vae", transport, label="canary").signatures()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_unknown_names_are_errors_of_one_line(connect, transport):
    with pytest.raises(ServingError, match="serves no model 'nothing'"):
        connect("nothing", transport, model=None).signatures()
    client = connect("vae", transport)
    with pytest.raises(ServingError, match=r"unknown signature 'paint', .* sample"):
        client.predict({}, "paint")
    noise, vector = np.zeros((1, 4)), [2.0]
    with pytest.raises(DataError, match="inputs coefficients, noise, got noise"):
        client.predict({"noise": noise}, "sample")
    with pytest.raises(DataError, match="outputs image, got picture"):
        client.predict({"noise": noise, "coefficients": vector}, "sample", ["picture"])
    with pytest.raises(DataError, match="input noise is complex128, expected float32"):
        client.predict({"noise": 1j * noise, "coefficients": vector}, "sample")
    with pytest.raises(ServingError, match="refused the request: ") as caught:
        client.predict({"noise": noise[:, 1:], "coefficients": vector}, "sample")
    assert "\n" not in str(caught.value)


def test_what_the_client_refuses_by_itself(connect, photograph):
    client = connect("codec")
    image = photograph[:16, :16]
    for how, message in (
        ({"distortion": 0.5}, r"distortion = 0.5 is outside its range"),
        ({"distorsion": 0.02}, "expected distortion. Did you mean 'distortion'"),
        ({"quality": 1.5}, r"quality lies in \[0, 1\], got 1.5"),
        ({"quality": 0.5, "distortion": 0.02}, "not both"),
    ):
        with pytest.raises(CoefficientError, match=message):
            client.compress(image, **how)
    with pytest.raises(DataError, match=r"uint8 image .* got float64 \[4, 4\]"):
        client.compress(np.zeros((4, 4)))
    with pytest.raises(RecipeError, match="family stylization, got one of codec"):
        client.stylize(image, "dots")
    with pytest.raises(RecipeError, match=r"got one of none: .* model="):
        connect("codec", model=None).compress(image)


def test_no_server_is_an_error_at_once(folder):
    address = f"127.0.0.1:{free_port()}"
    for where in ({"address": address}, {"address": None, "rest": address}):
        client = Client(name="codec", **where)
        started = time.monotonic()
        with pytest.raises(ServingError, match=f"no model server answers at {address}"):
            client.signatures()
        assert time.monotonic() - started < 20


def test_the_name_is_the_exported_one(server, folder, exported):
    with Client(server.grpc, model=exported("vae")) as client:
        assert client.sample(1, seed=0).shape == (1, 16, 16, 3)


def test_rest_is_the_fallback(server, folder):
    with Client(f"127.0.0.1:{free_port()}", "vae", rest=server.rest) as client:
        noise = {"noise": np.zeros((1, 4)), "coefficients": [2.0]}
        assert client.predict(noise, "sample")["image"].shape == (1, 16, 16, 3)


def test_a_server_that_never_answers_is_given_up():
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        address = f"127.0.0.1:{deaf.getsockname()[1]}"
        for where in ({"address": address}, {"address": None, "rest": address}):
            client = Client(name="codec", timeout=1.0, **where)
            with pytest.raises(ServingError, match="did not answer within 1 s"):
                client.signatures()


def test_without_grpcio_the_extra_is_named(server, monkeypatch):
    monkeypatch.delitem(
        sys.modules, "yoto_tf.export.serving.client.grpc_transport", False
    )
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ServingError, match=r"needs grpc, .*'yoto_tf\[serving\]'"):
        Client(server.grpc, "vae")
    assert "sample" in Client(server.grpc, "vae", rest=server.rest).signatures()


def test_a_picture_beyond_the_servers_limit_is_an_error(connect, server):
    if server.process.args[0] == REAL:
        pytest.skip("tensorflow_model_server has no limit below that of a message")
    with pytest.raises(ServingError, match="too large a picture or batch"):
        connect("codec").compress(np.zeros((700, 700, 3), "uint8"))


def test_a_picture_beyond_any_message_is_not_even_sent(connect, monkeypatch):
    monkeypatch.setattr("yoto_tf.export.serving.client.grpc_transport.MAX_BYTES", 10**5)
    with pytest.raises(DataError, match=r"take 0\.00 GB, expected at most 0\.00 GB"):
        connect("codec").compress(np.zeros((100, 100, 3), "uint8"))


def test_a_client_needs_no_tensorflow(server, folder, models, photograph, tmp_path):
    image = photograph[200:264, 100:150]
    np.save(tmp_path / "image.npy", image)
    places = [folder / "models" / name / "1" for name in ("codec", "stylization")]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, server.grpc, *places, tmp_path],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    data = (tmp_path / "image.yoto").read_bytes()
    assert data == models["codec"].compress(image, distortion=0.02)
    decoded = np.load(tmp_path / "decoded.npy")
    assert_same_picture(decoded, models["codec"].decompress(data))
    stylized = np.load(tmp_path / "stylized.npy")
    expected = models["stylization"].stylize(image, "dots", content=0.1)
    assert_same_picture(stylized, expected)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_independent_client_gets_the_same(connect, server, photograph, transport):
    ovmsclient = pytest.importorskip("ovmsclient")
    if transport == "grpc":
        client = ovmsclient.make_grpc_client(server.grpc)
    else:
        client = ovmsclient.make_http_client(server.rest)
    inputs = {
        "image": photograph[None, 200:264, 100:150].astype("float32") / 255,
        "coefficients": np.array([[0.02]], "float32"),
    }
    answer = client.predict(inputs, "codec", model_version=1, timeout=60.0)
    expected = connect("codec").predict(inputs)
    assert answer.keys() == expected.keys() == {"image", "bits"}
    for name, array in expected.items():
        np.testing.assert_allclose(answer[name], array, rtol=1e-6)
    status = client.get_model_status("codec", model_version=1)
    assert status[1]["state"] == "AVAILABLE"
    with pytest.raises(ovmsclient.ModelNotFoundError):
        client.predict(inputs, "nothing", model_version=1)


def test_rows_as_with_curl(server):
    row = {"noise": [0.0] * 4, "coefficients": [2.0]}
    body = {"signature_name": "sample", "instances": [row, row]}
    request = urllib.request.Request(
        f"http://{server.rest}/v1/models/vae:predict", json.dumps(body).encode()
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        pictures = np.array(json.load(response)["predictions"])
    assert pictures.shape == (2, 16, 16, 3)


def requests_counted(client, monkeypatch):
    """The batches of the requests that a client sends from now on, as a list."""
    batches, predict = [], client._transport.predict

    def counted(signature, inputs, outputs):
        if signature != "scales":
            batches.append((signature, len(inputs["coefficients"])))
        return predict(signature, inputs, outputs)

    monkeypatch.setattr(client._transport, "predict", counted)
    return batches


def test_pictures_of_one_size_are_compressed_in_one_request(
    connect, models, photograph, monkeypatch
):
    client = connect("codec")
    images = [photograph[y : y + 64, :80] for y in range(0, 400, 64)]
    images.insert(2, photograph[:70, :64])
    values = np.geomspace(0.002, 0.15, len(images))
    single = [
        client.compress(i, distortion=v) for i, v in zip(images, values, strict=True)
    ]
    batches = requests_counted(client, monkeypatch)
    files = client.compress_many(images, distortion=values)
    assert batches.count(("analyze", 7)) == batches.count(("analyze", 1)) == 1
    for image, file, alone in zip(images, files, single, strict=True):
        assert_same_picture(client.decompress(file), client.decompress(alone))
        assert models["codec"].decompress(file).shape == image.shape

    batches.clear()
    decoded = client.decompress_many(files)
    assert batches == [("synthesize", 7), ("synthesize", 1)]
    for image, file in zip(decoded, files, strict=True):
        assert_same_picture(image, models["codec"].decompress(file))
    with pytest.raises(DataError, match=r"one for each of 8 pictures, got 2"):
        client.compress_many(images, distortion=[0.1, 0.2])


def test_pictures_of_one_size_are_stylized_in_one_request(
    connect, models, photograph, monkeypatch
):
    client = connect("stylization")
    images = [photograph[y : y + 64, :80] for y in range(0, 200, 64)]
    styles, content = ["dots", "checks", {"dots": 1, "stripes": 2}, "dots"], [0.02, 0.9]
    batches = requests_counted(client, monkeypatch)
    stylized = client.stylize_many(images, styles, content=content * 2, style_1=0.3)
    assert batches == [("stylize", 4)]
    for image, style, value, actual in zip(
        images, styles, content * 2, stylized, strict=True
    ):
        expected = models["stylization"].stylize(
            image, style, content=value, style_1=0.3
        )
        assert_same_picture(actual, expected)
