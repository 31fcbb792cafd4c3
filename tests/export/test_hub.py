"""Exported, hosted by Python's own static server, and loaded in every way there is."""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile

import keras
import numpy as np
import pytest
import tensorflow as tf

import yoto_tf as yoto
from yoto_tf import zoo
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export import hub
from yoto_tf.export.hub_page import page
from yoto_tf.zoo.vae import VAE, ConvVAE

tensorflow_hub = pytest.importorskip("tensorflow_hub")

CARD = """\
# Test VAE

Nobody trained it,
ever.

## Data

- **None**.
"""


@pytest.fixture(scope="module")
def vae():
    keras.utils.set_random_seed(0)
    network = ConvVAE(
        yoto.Coefficients(kl=yoto.LogUniform(0.125, 512)),
        image_shape=(8, 8, 3),
        channels=(4, 8),
        hidden_units=16,
        latents=6,
        film_units=8,
    )
    network.build(None)
    return VAE.from_network(network, CARD)


@pytest.fixture(scope="module")
def archive(vae, tmp_path_factory):
    return hub.write(vae, tmp_path_factory.mktemp("www"), name="acme/small-vae")


@pytest.fixture(scope="module")
def address(archive):
    """Where `python -m http.server` has the archive's folder of folders."""
    root = archive.parents[2]
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--directory", root],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        port = re.search(r"port (\d+)", server.stdout.readline())[1]
        yield f"http://127.0.0.1:{port}"
        server.terminate()


@pytest.fixture(scope="module")
def handle(address, tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(cache))
        yield f"{address}/acme/small-vae/1.tar.gz"


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    return {
        "image": rng.uniform(size=(3, 8, 8, 3)).astype("float32"),
        "coefficients": np.array([[2.0]], "float32"),
    }


@pytest.fixture
def expected(vae, inputs):
    outputs = vae.model({**inputs, "coefficients": np.full((3, 1), 2.0, "float32")})
    return np.asarray(outputs["posterior_mean"])


def test_hub_load(handle, inputs, expected):
    model = tensorflow_hub.load(handle)
    outputs = model({name: tf.constant(array) for name, array in inputs.items()})
    np.testing.assert_allclose(outputs["posterior_mean"], expected, atol=1e-5)


def test_tfsm_layer(handle, inputs, expected):
    folder = tensorflow_hub.resolve(handle)
    layer = keras.layers.TFSMLayer(folder, call_endpoint="encode")
    np.testing.assert_allclose(layer(inputs)["mean"], expected, atol=1e-5)
    assert len(layer.trainable_weights) > 0


def test_fine_tuning(handle, inputs):
    """Plain gradient steps on what `hub.load` returns lower a loss."""
    model = tensorflow_hub.load(handle)
    inputs = {name: tf.constant(array) for name, array in inputs.items()}
    before = [variable.numpy() for variable in model.trainable_variables]
    losses = []
    for _ in range(4):
        with tf.GradientTape() as tape:
            mean = model(inputs, training=True)["posterior_mean"]
            loss = tf.reduce_mean((mean - 1.0) ** 2)
        losses.append(float(loss))
        gradients = tape.gradient(loss, model.trainable_variables)
        for variable, gradient in zip(
            model.trainable_variables, gradients, strict=True
        ):
            # The posterior does not depend on the decoder.
            if gradient is not None:
                variable.assign_sub(0.02 * gradient)
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]
    after = [variable.numpy() for variable in model.trainable_variables]
    assert any((a != b).any() for a, b in zip(after, before, strict=True))


def test_zoo_load(handle, vae):
    loaded = zoo.load(handle)
    assert loaded.release.id == vae.release.id
    assert loaded.card == CARD
    np.testing.assert_array_equal(
        loaded.sample(4, seed=1, kl=3.0), vae.sample(4, seed=1, kl=3.0)
    )


def test_example_of_the_page_runs(handle, archive, inputs, vae):
    text = archive.with_name("1.md").read_text("utf-8")
    hub_example, zoo_example = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    url = "https://HOST/acme/small-vae/1.tar.gz"
    assert url in hub_example
    found = {"image": tf.constant(inputs["image"])}
    exec(hub_example.replace(url, handle), found)
    exec(zoo_example, found)
    # The middle of the range.
    assert found["inputs"]["coefficients"].numpy().tolist() == [8.0]
    pictures = np.rint(255 * inputs["image"]).astype("uint8")
    reconstructed = np.rint(255 * found["outputs"]["image"].numpy())
    np.testing.assert_allclose(reconstructed, vae.reconstruct(pictures, kl=8), atol=1)
    assert found["network"].image_shape == vae.model.image_shape


def test_page_is_in_the_format_of_tfhub_dev(archive):
    """The rules of its validator: tfhub.dev, tools/validator.py."""
    lines = archive.with_name("1.md").read_text("utf-8").splitlines()
    pattern = r"# Module [a-z\d-]+/[\w.-]+(/[\w.-]+)*/\d+"
    assert re.fullmatch(pattern, lines[0])
    assert lines[0] == "# Module acme/small-vae/1"
    assert lines[1:4] == ["", "Nobody trained it, ever.", ""]
    end = next(i for i in range(4, len(lines)) if lines[i].startswith("#"))
    found = [
        re.fullmatch(r"<!--(?P<key>(\w|\s|-)+):(?P<value>.+)-->", line)
        for line in lines[4:end]
        if line
    ]
    metadata = {m["key"].strip(): m["value"].strip() for m in found}
    assert metadata == {
        "asset-path": "1.tar.gz",
        "task": "image-generator",
        "fine-tunable": "true",
        "format": "saved_model_2",
        # Nobody has released these weights.
        "license": "custom",
    }
    headings = [line for line in lines[1:] if line.startswith("#")]
    assert headings == [
        "## Overview",
        "### Data",
        "## Coefficients",
        "## Signatures",
        "## Example use",
        "## Licence",
    ]
    assert "| 0 | `kl` | 0.125 | 512 |" in lines


def test_page_of_a_released_stylizer(pretrained, untrained_codec):
    """`pretrained` makes the codec the one released model, for its licence."""
    image = {"dtype": "float32", "shape": ["B", "H", "W", 3]}
    inputs = {
        "image": image,
        "style": {"dtype": "float32", "shape": ["...", 2]},
        "coefficients": {"dtype": "float32", "shape": ["...", 2]},
    }
    manifest = {
        "family": "stylization",
        "id": untrained_codec.release.id.hex(),
        "coefficients": {"content": [0.0, 1.0], "style_1": [0.01, 1.0]},
        "styles": ["dots", "stripes"],
        "card": "",
        "signatures": {"stylize": {"inputs": inputs, "outputs": {"image": image}}},
    }
    text = page(manifest, "stylization", 2).decode()
    start = (
        "# Module yoto/stylization/2\n\nThe weights of its losses are inputs: `content`"
    )
    assert text.startswith(start)
    assert "<!-- license: apache-2.0 -->" in text
    assert "<!-- task: image-style-transfer -->" in text
    assert "0. `dots`\n1. `stripes`" in text
    assert '"coefficients": tf.constant([0.5, 0.1]),  # float32 [..., 2]' in text
    assert '"style": tf.constant([1.0, 0.0]),  # float32 [..., 2]' in text
    assert "outputs = model.stylize(inputs)" in text


def test_model_of_your_own(archive, address, handle):
    layers = [keras.layers.Conv2D(4, 3), keras.layers.Conv2D(1, 3)]
    plain = keras.Sequential([keras.Input((8, 8, 1), name="image"), *layers])
    coefficients = yoto.Coefficients(smoothness=yoto.LogUniform(0.05, 0.5))
    model = yoto.LossConditionalModel(
        yoto.condition(plain, coefficients), lambda inputs, outputs: {}, coefficients
    )
    hub.write(model, archive.parents[2], name="mine", version=7)
    text = (archive.parents[2] / "mine" / "7.md").read_text("utf-8")
    examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    found = {"image": tf.ones((2, 8, 8, 1))}
    for example in examples:
        exec(example.replace("https://HOST", address), found)
    inputs = {"image": found["image"], "coefficients": tf.fill((2, 1), 0.16)}
    again = found["network"](inputs)
    np.testing.assert_allclose(found["outputs"]["output"], again, atol=1e-5)
    with pytest.raises(RecipeError, match="without a release/ in it"):
        zoo.load(found["url"])


def test_archive_has_the_saved_model_at_its_root(archive, vae):
    with tarfile.open(archive) as members:
        names = members.getnames()
        assert {"saved_model.pb", "variables", "assets/yoto.json"} <= set(names)
        assert names == sorted(names)
        assert {(m.mtime, m.uid, m.uname) for m in members} == {(0, 0, "")}
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    beside = archive.with_name("1.tar.gz.sha256")
    assert beside.read_text() == f"{digest}  1.tar.gz\n"
    assert len(list(archive.parent.iterdir())) == 3


def test_same_files_give_the_same_archive(vae, archive, tmp_path, monkeypatch):
    def write_copy(model, directory, **options):
        with tarfile.open(archive) as members:
            members.extractall(directory, filter="data")
        for path in directory.rglob("*"):
            os.utime(path, (1, 1))

    monkeypatch.setattr(hub, "write_saved_model", write_copy)
    again = hub.write(vae, tmp_path)
    with tarfile.open(archive) as members:
        name = json.load(members.extractfile("assets/yoto.json"))["name"]
    assert again == tmp_path / name / "1.tar.gz"
    assert again.read_bytes() == archive.read_bytes()


def test_failure_leaves_nothing(vae, tmp_path, monkeypatch):
    def fail_for_the_archive(path, content):
        if path.name == "1.tar.gz":
            raise DataError(f"cannot write {path}: No space left on device")
        path.write_bytes(content)

    monkeypatch.setattr(hub, "write_atomically", fail_for_the_archive)
    with pytest.raises(DataError, match="No space left on device"):
        hub.write(vae, tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_directory_that_is_a_file(vae, tmp_path):
    (tmp_path / "www").write_text("")
    with pytest.raises(DataError, match=r"cannot write .*1.tar.gz: Not a directory"):
        hub.write(vae, tmp_path / "www")


def test_version_is_never_overwritten(vae, archive, tmp_path):
    before = {path: path.read_bytes() for path in archive.parent.iterdir()}
    with pytest.raises(RecipeError, match=r"1.tar.gz exists, and a version never"):
        hub.write(vae, archive.parents[2], name="acme/small-vae")
    assert {path: path.read_bytes() for path in archive.parent.iterdir()} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"version": 0}, "version 0: expected a whole number from 1"),
        ({"version": "new"}, "version 'new': expected"),
        ({"name": "../vae"}, "name '../vae': expected NAME or publisher/NAME"),
        ({"name": "/vae"}, "name '/vae'"),
        ({"name": "a/b/c"}, "name 'a/b/c'"),
    ],
)
def test_malformed_name_or_version(options, message, vae, tmp_path):
    with pytest.raises(RecipeError, match=re.escape(message)):
        hub.write(vae, tmp_path / "www", **options)
    assert list(tmp_path.iterdir()) == []
