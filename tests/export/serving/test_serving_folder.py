"""What `--target serving` writes, checked with the official messages."""

import json
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from c_api_process import answers
from small_models import KINDS

from yoto_tf import Coefficients, LogUniform
from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.export.serving import configuration, folder
from yoto_tf.export.serving.warmup import write_warmup
from yoto_tf.zoo.vae import VAE, ConvVAE

SIGNATURES = {"reconstruct", "sample", "encode", "decode"}


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    network = ConvVAE(
        Coefficients(kl=LogUniform(0.125, 512.0)),
        image_shape=(8, 8, 3),
        channels=(4, 8),
        hidden_units=16,
        latents=4,
        film_units=8,
    )
    network.build(None)
    return VAE.from_network(network, "# V\n\nTest.\n")


@pytest.fixture(scope="module")
def directory(vae, tmp_path_factory):
    directory = tmp_path_factory.mktemp("serving") / "new"
    version = export(vae, directory, target="serving")
    assert version == directory / "models" / "vae" / "1"
    return directory


def test_all_that_a_server_needs_is_there(directory):
    names = {path.name for path in directory.iterdir()}
    assert names == {
        "README.md",
        "batching.config",
        "docker-compose.yaml",
        "models",
        "models.config",
    }
    # No temporary folder either.
    assert [path.name for path in (directory / "models" / "vae").iterdir()] == ["1"]
    compose = (directory / "docker-compose.yaml").read_text()
    assert "image: tensorflow/serving:2.17." in compose
    assert "- 127.0.0.1:8500:8500" in compose
    assert "- 127.0.0.1:8501:8501" in compose
    assert f"- .:{configuration.MOUNT}:ro" in compose


def test_the_warm_up_asks_every_signature_what_it_answers(directory):
    logging = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    version = directory / "models" / "vae" / "1"
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    signatures = tf.saved_model.load(str(version)).signatures
    asked = set()
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        request = logging.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "vae"
        signature = request.model_spec.signature_name
        inputs = {
            name: tf.constant(tf.make_ndarray(tensor))
            for name, tensor in request.inputs.items()
        }
        for output in signatures[signature](**inputs).values():
            assert np.isfinite(output).all()
        asked.add(signature)
    assert asked >= SIGNATURES


def test_a_version_never_changes(directory, vae):
    before = {p: p.stat().st_mtime_ns for p in directory.rglob("*") if p.is_file()}
    with pytest.raises(RecipeError, match=r"vae/1 exists, .* give another version"):
        folder.write(vae, directory)
    assert before == {
        p: p.stat().st_mtime_ns for p in directory.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize(
    "options", [{"version": 0}, {"version": "2"}, {"name": "../x"}]
)
def test_names_and_versions_that_cannot_be(vae, tmp_path, options):
    with pytest.raises(RecipeError, match="expected"):
        folder.write(vae, tmp_path, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_is_no_text_is_left_alone(vae, tmp_path):
    (tmp_path / "models.config").write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match=r"cannot read .*models.config, expected UTF"):
        folder.write(vae, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["models.config"]


def test_a_failed_export_leaves_no_version(vae, tmp_path, monkeypatch):
    def fail(*_):
        raise RecipeError("no warm-up")

    monkeypatch.setattr(folder, "write_warmup", fail)
    with pytest.raises(RecipeError, match="no warm-up"):
        folder.write(vae, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_a_user_changed_is_kept(directory, vae):
    compose = directory / "docker-compose.yaml"
    compose.write_text("services: {}\n")
    folder.write(vae, directory, name="second")
    assert compose.read_text() == "services: {}\n"
    config = (directory / "models.config").read_text()
    assert 'name: "vae"' in config
    assert 'base_path: "/serving/models/second"' in config


@pytest.mark.parametrize("kind", KINDS)
def test_every_signature_is_warmed_up(kind, exported, tmp_path):
    """By requests that the stand-in of `test_serving_client` runs when it starts."""
    shutil.copytree(exported(kind), tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "assets" / "yoto.json").read_text())
    assert write_warmup(tmp_path / "model", kind) == list(manifest["signatures"])


def test_a_network_of_ones_own_is_warmed_up(tmp_path):
    from yoto_tf.export.families.your_own import ConditionedNetwork
    from yoto_tf.export.saved_model import write_saved_model

    signal = keras.Input((None, 3), name="signal")
    dial = keras.Input((1,), name="coefficients")
    outputs = {"sum": keras.layers.Conv1D(2, 3)(signal) + dial[:, None]}
    network = keras.Model({"signal": signal, "coefficients": dial}, outputs)
    coefficients = Coefficients(dial=LogUniform(0.1, 1.0))
    write_saved_model(ConditionedNetwork(network, coefficients), tmp_path)
    manifest = json.loads((tmp_path / "assets" / "yoto.json").read_text())
    assert write_warmup(tmp_path, "mine") == list(manifest["signatures"])


def test_pictures_of_one_size(model_of, tmp_path):
    model = model_of("Hyperprior")
    version = export(model, tmp_path, target="serving", height=64, width=128)
    functions = tf.saved_model.load(str(version)).signatures
    for name, inputs in {
        "analyze": {"image": [None, 64, 128, 3], "coefficients": [None, 1]},
        "synthesize": {
            "symbols": [None, 4, 8, 32],
            "hyper_latents": [None, 1, 2, 8],
            "coefficients": [None, 1],
        },
    }.items():
        _, specs = functions[name].structured_input_signature
        assert {key: spec.shape.as_list() for key, spec in specs.items()} == inputs
    assert "--enable_batching=true" in (tmp_path / "docker-compose.yaml").read_text()
    assert "max_batch_size { value: 16 }" in (tmp_path / "batching.config").read_text()
    path = version / "assets.extra" / "tf_serving_warmup_requests"
    assert len(list(tf.data.TFRecordDataset(str(path)))) == 5

    with pytest.raises(RecipeError, match="pictures of one size, whose requests"):
        export(model, tmp_path, target="serving", version=2)


def test_joined_requests_keep_their_coefficients(model_of, tmp_path, photograph):
    """What a server does that joins: rows of several requests in one run."""
    model = model_of("Hyperprior")
    version = export(model, tmp_path, target="serving", height=64, width=64)
    images = [photograph[y : y + 64, :64] / np.float32(255) for y in (0, 64, 128)]
    vectors = np.array([[0.002], [0.02], [0.15]], "float32")
    joined = {"image": np.stack(images), "coefficients": vectors}
    requests = [("reconstruct", joined)]
    for image, vector in zip(images, vectors, strict=True):
        alone = {"image": image[None], "coefficients": vector[None]}
        requests.append(("reconstruct", alone))
    together, *alone = answers(version, requests, tmp_path)
    for row, answer in enumerate(alone):
        np.testing.assert_allclose(
            together["image"][row], answer["image"][0], atol=1e-4
        )
    assert together["bits"][0] < together["bits"][1] < together["bits"][2]
