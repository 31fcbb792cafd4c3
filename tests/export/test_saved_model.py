import json
import resource
import struct
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import KINDS, your_own

from yoto_tf import zoo
from yoto_tf.entropy.tfc_ops import load_tfc_ops
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export import export
from yoto_tf.export.saved_model import write_saved_model
from yoto_tf.zoo.codec.coding.container import Container

SIGNATURES = {
    "Hyperprior": {"analyze", "scales", "synthesize", "reconstruct"},
    "ContextHyperprior": {
        *("analyze", "scales_0", "scales_1", "scales_2", "scales_3"),
        *("synthesize", "reconstruct"),
    },
    "FactorizedPrior": {"analyze", "synthesize", "reconstruct"},
    "vae": {"reconstruct", "sample", "encode", "decode"},
    "stylizer": {"stylize", "predict_style", "stylize_as"},
    "your_own": set(),
}
PARTS = {
    "Hyperprior": {"analysis", "synthesis"},
    "ContextHyperprior": {"analysis", "synthesis"},
    "FactorizedPrior": {"analysis", "synthesis"},
    "vae": {"encoder", "decoder"},
    "stylizer": set(),
    "your_own": set(),
}
CODECS = ("Hyperprior", "ContextHyperprior", "FactorizedPrior")
ZOO = (*CODECS, "vae", "stylizer")
# Reads the manifest where there is neither TensorFlow nor Keras nor this library.
READ = "import json, sys; print(len(json.load(open(sys.argv[1]))['coefficients']))"


def inputs_for(kind, coefficients):
    """A dict of two random pictures, the same every time."""
    rng = np.random.default_rng(3)
    inputs = {"coefficients": tf.constant(coefficients, "float32")}
    if kind == "your_own":
        return inputs | {"noisy": tf.constant(rng.random((2, 8, 8, 1), "float32"))}
    if kind == "stylizer":
        inputs["style"] = tf.constant([[1.0, 0.0, 1.0]])
    return inputs | {"image": tf.constant(rng.random((2, 16, 16, 3), "float32"))}


def middle(model):
    return model.coefficients.at(0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_manifest_says_what_there_is(kind, model_of, exported):
    model = model_of(kind)
    manifest = json.loads((exported(kind) / "assets" / "yoto.json").read_text("utf-8"))
    ranges = {name: tuple(ends) for name, ends in manifest["coefficients"].items()}
    assert ranges == model.coefficients.ranges()
    assert tuple(ranges) == model.coefficients.names
    assert manifest["styles"] == list(getattr(model, "styles", ()))
    if kind in ZOO:
        assert manifest["family"] == model.release.family
        assert manifest["id"] == model.release.id.hex()
        assert manifest["card"] == model.card
    loaded = tf.saved_model.load(str(exported(kind)))
    assert set(loaded.signatures) == SIGNATURES[kind] | {"serving_default"}
    assert set(manifest["signatures"]) == set(loaded.signatures)
    for name, described in manifest["signatures"].items():
        signature = loaded.signatures[name]
        _, specs = signature.structured_input_signature
        assert_described(described["inputs"], specs)
        assert_described(described["outputs"], signature.structured_outputs)


def assert_described(described, specs):
    assert described.keys() == specs.keys()
    for name, spec in specs.items():
        assert described[name]["dtype"] == spec.dtype.name
        shape = described[name]["shape"]
        if shape[0] == "...":
            assert spec.shape.rank is None
            continue
        assert len(shape) == spec.shape.rank
        for size, actual in zip(shape, spec.shape, strict=True):
            assert actual in (size, None)
            assert isinstance(size, str) == (actual is None)


def test_manifest_is_read_without_tensorflow(exported):
    path = exported("stylizer") / "assets" / "yoto.json"
    command = [sys.executable, "-I", "-S", "-c", READ, path]
    assert subprocess.check_output(command, text=True).strip() == "5"


@pytest.mark.parametrize("kind", ZOO)
def test_release_gives_the_model_back(kind, model_of, exported):
    loaded = zoo.load(str(exported(kind) / "release"))
    assert loaded.release.id == model_of(kind).release.id
    inputs = inputs_for(kind, [middle(loaded)] * 2)
    if kind == "stylizer":
        inputs["style"] = tf.repeat(inputs["style"], 2, 0)
    keras.utils.set_random_seed(0)
    expected = model_of(kind).model(inputs)
    keras.utils.set_random_seed(0)
    outputs = loaded.model(inputs)
    name = {"vae": "posterior_mean", "stylizer": None}.get(kind, "reconstruction")
    if name:
        outputs, expected = outputs[name], expected[name]
    np.testing.assert_array_equal(outputs, expected)


def test_keras_gives_your_own_network_back(model_of, exported):
    network = keras.models.load_model(exported("your_own") / "model.keras")
    inputs = inputs_for("your_own", [middle(model_of("your_own"))] * 2)
    np.testing.assert_array_equal(network(inputs), model_of("your_own").network(inputs))


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_reusable_saved_model(kind, model_of, exported):
    model = model_of(kind)
    network = model.network if kind == "your_own" else model.model
    loaded = tf.saved_model.load(str(exported(kind)))
    assert len(loaded.variables) == len(network.variables)
    assert len(loaded.trainable_variables) == len(network.trainable_variables)
    losses = [float(loss()) for loss in loaded.regularization_losses]
    assert sum(losses) == pytest.approx(float(sum(network.losses)))
    assert bool(losses) == (kind == "your_own")
    for name in PARTS[kind]:
        part = getattr(loaded, name)
        known = {id(variable) for variable in loaded.variables}
        assert {id(variable) for variable in part.variables} < known
        assert part.trainable_variables


@pytest.mark.parametrize("kind", KINDS)
def test_loaded_it_can_be_fine_tuned(kind, model_of, exported):
    loaded = tf.saved_model.load(str(exported(kind)))
    inputs = inputs_for(kind, [middle(model_of(kind))])
    name, target = {
        "stylizer": ("image", "image"),
        "your_own": ("output", "noisy"),
    }.get(kind, ("reconstruction", "image"))
    losses = []
    for _ in range(8):
        with tf.GradientTape() as tape:
            outputs = loaded(inputs, training=True)
            loss = tf.reduce_mean(tf.square(outputs[name] - inputs[target]))
            loss += 0.01 * sum(term() for term in loaded.regularization_losses)
        gradients = tape.gradient(loss, loaded.trainable_variables)
        pairs = zip(gradients, loaded.trainable_variables, strict=True)
        learning = [(g, variable) for g, variable in pairs if g is not None]
        for gradient, variable in learning:
            variable.assign_sub(1e-2 * gradient / (tf.norm(gradient) + 1e-6))
        losses.append(float(loss))
    assert len(learning) > len(loaded.trainable_variables) / 2
    # The VAE draws its latents anew for each.
    assert sum(losses[-3:]) < sum(losses[:3])


def test_parts_are_the_network(exported, model_of):
    loaded = tf.saved_model.load(str(exported("vae")))
    inputs = inputs_for("vae", middle(model_of("vae")))
    posterior = loaded.encoder(inputs)
    dial = inputs["coefficients"]
    pixels = loaded.decoder({"latents": posterior["mean"], "coefficients": dial})
    np.testing.assert_allclose(
        loaded.reconstruct(inputs)["image"],
        np.clip(pixels["reconstruction"], 0, 1),
        atol=1e-6,
    )
    loaded = tf.saved_model.load(str(exported("FactorizedPrior")))
    inputs = inputs_for("FactorizedPrior", middle(model_of("FactorizedPrior")))
    latents = loaded.analysis(inputs)["latents"]
    np.testing.assert_array_equal(np.rint(latents), loaded.analyze(inputs)["symbols"])
    rounded = {"latents": tf.round(latents), "coefficients": inputs["coefficients"]}
    np.testing.assert_allclose(
        loaded.synthesis(rounded)["image"],
        loaded(inputs)["reconstruction"],
        atol=1e-5,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_keras_takes_it_as_a_layer(kind, model_of, exported):
    inputs = inputs_for(kind, middle(model_of(kind)))
    loaded = tf.saved_model.load(str(exported(kind)))
    expected = loaded.serving_default(inputs)
    layer = keras.layers.TFSMLayer(exported(kind), call_endpoint="serving_default")
    for name, output in layer(inputs).items():
        np.testing.assert_array_equal(output, expected[name])
    assert layer.trainable_weights


def test_saved_again_it_keeps_the_manifest(exported, tmp_path):
    loaded = tf.saved_model.load(str(exported("vae")))
    tf.saved_model.save(loaded, str(tmp_path), loaded.signatures)
    before, after = (
        (folder / "assets" / "yoto.json").read_bytes()
        for folder in (exported("vae"), tmp_path)
    )
    assert after == before


@pytest.mark.parametrize("kind", CODECS)
def test_with_tfc_ops_it_makes_the_codecs_own_files(
    kind, model_of, exported, photograph
):
    if load_tfc_ops() is None:
        assert not (exported(kind) / "with_tfc_ops").exists()
        pytest.skip("TensorFlow Compression's ops cannot be loaded")
    codec = model_of(kind)
    pictures = np.stack([photograph[i : i + 70, 200:333] for i in (150, 300)])
    loaded = tf.saved_model.load(str(exported(kind) / "with_tfc_ops"))
    dial = tf.constant([0.02])
    image = tf.constant(pictures / np.float32(255))
    sections = loaded.compress({"image": image, "coefficients": dial})
    size = tf.constant([70, 133])
    decoded = loaded.decompress({**sections, "size": size, "coefficients": dial})
    hyper_latents = sections.get("hyper_latents", tf.constant([b"", b""]))
    payloads = zip(hyper_latents.numpy(), sections["latents"].numpy(), strict=True)
    for picture, payload, image in zip(
        pictures, payloads, decoded["image"], strict=True
    ):
        file = Container(codec.model_id, (0.02,), 70, 133, payload).to_bytes()
        assert file == codec.compress(picture, distortion=0.02)
        np.testing.assert_array_equal(
            np.rint(image * 255).astype("uint8"), codec.decompress(file)
        )


def test_folder_in_use_is_refused(model_of, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="used is not empty, expected a new folder"):
        write_saved_model(model_of("vae"), tmp_path / "used")
    with pytest.raises(DataError, match="file is a file, expected a new folder"):
        write_saved_model(model_of("vae"), tmp_path / "file")
    assert (tmp_path / "used" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("kind", ["vae", "Hyperprior"])
@pytest.mark.parametrize("exists", [False, True])
def test_failure_leaves_nothing(exists, kind, model_of, tmp_path):
    """Files may have few bytes, which TensorFlow meets as it does a full disk."""
    folder = tmp_path / "model"
    if exists:
        folder.mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
    try:
        with pytest.raises(DataError, match=r"cannot write .*model: File too large$"):
            write_saved_model(model_of(kind), folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.rglob("*")) == [folder] * exists


def test_empty_folder_is_taken_and_parents_are_made(tmp_path):
    (tmp_path / "empty").mkdir()
    mode = (tmp_path / "empty").stat().st_mode
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        export(your_own(), folder)
        assert (folder / "saved_model.pb").exists()
        assert list(folder.parent.glob(".*")) == []
        assert folder.stat().st_mode == mode


def test_current_folder_is_filled(tmp_path, monkeypatch):
    """It cannot be replaced, no more than one on which a disk is mounted."""
    monkeypatch.chdir(tmp_path)
    export(your_own(), ".")
    assert {path.name for path in tmp_path.iterdir()} == {
        "assets",
        "fingerprint.pb",
        "model.keras",
        "saved_model.pb",
        "variables",
    }


def test_other_backends_are_told(model_of, tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RecipeError, match=r"TensorFlow backend, this is jax"):
        write_saved_model(model_of("vae"), tmp_path / "vae")


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="cannot export a Sequential, expected"):
        write_saved_model(keras.Sequential([]), tmp_path / "model")


@pytest.mark.parametrize("kind", CODECS)
def test_with_tfc_ops_it_ends_on_any_bytes(kind, model_of, exported):
    """Also where an escaped number would begin, whose zeros end nowhere."""
    if load_tfc_ops() is None:
        pytest.skip("TensorFlow Compression's ops cannot be loaded")
    coding = model_of(kind).coding
    loaded = tf.saved_model.load(str(exported(kind) / "with_tfc_ops"))
    tables = coding.code_tables[0]
    table = coding.levels.index(np.array([0.02], "float32")) * coding.channels[0]
    escape = struct.pack(">H", tables.cumulatives[table][-2] << 16 - tables.precision)
    random = np.random.default_rng(0)
    attempts = [escape, b"\xff" * 9, b"", *(random.bytes(n) for n in (1, 7, 400))]

    decoded = []

    def decode(section, data):
        sections = {code.section: tf.constant([b""]) for code in coding.codes}
        sections[section] = tf.constant([data])
        answer = loaded.decompress(
            {
                **sections,
                "size": tf.constant([[64, 64]]),
                "coefficients": tf.constant([[0.02]]),
            }
        )
        decoded.append(answer["image"].shape)

    cases = [(coding.codes[0].section, data) for data in attempts]
    if kind == "ContextHyperprior":
        # Symbols of both modes, with outliers that no coder wrote.
        modes = (b"\0", b"\1", b"\1\0", b"\1\xff\xff\xff")
        cases += [("latents", mode + data) for mode in modes for data in attempts]
    for case in cases:
        thread = threading.Thread(target=decode, args=case, daemon=True)
        thread.start()
        thread.join(60)
        assert not thread.is_alive(), case
    assert decoded == [(1, 64, 64, 3)] * len(cases)
