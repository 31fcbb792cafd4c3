"""What version 0.1 wrote is read, wherever classes have moved since.

What the files are is in `format_1/README.md`.
"""

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.data import read_image
from yoto_tf.errors import FormatError, RecipeError
from yoto_tf.training import checkpoint
from yoto_tf.training.engine import train
from yoto_tf.zoo import families
from yoto_tf.zoo.codec import files
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release import start_from
from yoto_tf.zoo.release_folder import read_release, write_release
from yoto_tf.zoo.release_summary import read_summary

FOLDER = Path(__file__).parent / "format_1"
RELEASES = ("hyperprior", "factorized", "stylization", "vae")
COMPRESSED = sorted(FOLDER.glob("*.yoto"))
# Loads a file in a process that has imported no more than this; prints its outputs.
LOAD = """
import json, sys
import numpy as np
{imports}

@keras.saving.register_keras_serializable(package="format_1")
def terms(inputs, outputs):
    return {{"error": outputs[:, 0], "size": outputs[:, 1]}}

model = keras.saving.load_model(sys.argv[1])
stored = np.load(sys.argv[2])
inputs = {{name: stored[name] for name in ("x", "coefficients")}}
print(json.dumps(model.predict(inputs, verbose=0).tolist()))
"""


def former_id(name):
    return bytes.fromhex(json.loads((FOLDER / name / "config.json").read_text())["id"])


@pytest.fixture
def moved(tmp_path):
    """The hyperprior's release, of classes in modules that there are not.

    Its id is that of version 0.1, computed here as it was there.
    """
    folder = shutil.copytree(FOLDER / "hyperprior", tmp_path / "moved")
    text = (folder / "config.json").read_text()
    text, count = re.subn(r'"yoto_tf\.[\w.]+"', '"yoto_tf.nowhere"', text)
    assert count == 3
    config = json.loads(text)
    digest = hashlib.sha256(json.dumps(config["network"], sort_keys=True).encode())
    for name in ("weights", "tables"):
        with np.load(folder / f"{name}.npz") as arrays:
            for path in sorted(arrays.files):
                array = np.ascontiguousarray(arrays[path])
                digest.update(f"{path} {array.dtype} {array.shape}".encode())
                digest.update(array.tobytes())
    config["id"] = digest.hexdigest()[:16]
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_keeps_its_id_as_a_former_one(name, tmp_path):
    release = read_release(FOLDER / name)
    assert release.former_ids == (former_id(name),)
    assert release.id != former_id(name)
    assert "module" not in json.dumps(release.config)
    folder = shutil.copytree(FOLDER / name, tmp_path / name)
    write_release(folder, release)
    assert not list(folder.glob("*.npz"))
    again = read_release(folder)
    assert (again.id, again.former_ids) == (release.id, release.former_ids)
    assert read_summary(folder).former_ids == (former_id(name),)


def test_an_altered_release_is_refused(tmp_path):
    folder = shutil.copytree(FOLDER / "hyperprior", tmp_path / "altered")
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(
        text.replace('"hyper_filters": 4', '"hyper_filters": 5')
    )
    with pytest.raises(RecipeError, match="damaged release"):
        read_release(folder)
    (folder / "config.json").write_text(text.replace("0.18\n    ]", "0.2\n    ]"))
    with pytest.raises(RecipeError, match=r"has the ranges .*0\.2.*, its network"):
        zoo.load(folder)


@pytest.mark.parametrize("path", COMPRESSED, ids=lambda path: path.stem)
def test_compressed_files_decode(path):
    codec = zoo.load(FOLDER / path.name.split("-")[0])
    data = path.read_bytes()
    assert Container.from_bytes(data).model_id in codec.release.former_ids
    decoded = codec.decompress(data).astype(int)
    # Another processor may round a value in 10⁴ the other way.
    assert np.abs(decoded - read_image(path.with_suffix(".png"))).max() <= 1


@pytest.mark.parametrize("path", COMPRESSED, ids=lambda path: path.stem)
def test_the_same_picture_gives_the_same_payload(path):
    codec = zoo.load(FOLDER / path.name.split("-")[0])
    before = Container.from_bytes(path.read_bytes())
    image = read_image(FOLDER / "picture.png")[: before.height, : before.width]
    data = codec.compress(image, distortion=before.coefficients[0])
    after = Container.from_bytes(data)
    assert after.sections == before.sections
    assert dataclasses.replace(after, model_id=before.model_id) == before
    assert after.model_id == codec.model_id != before.model_id


def test_a_file_names_the_pretrained_model_that_has_changed_its_id(
    tmp_path, monkeypatch
):
    released = tmp_path / "zoo" / "codec" / "released"
    write_release(released / "tiny", read_release(FOLDER / "hyperprior"))
    root = tmp_path / "zoo"
    monkeypatch.setattr(
        families, "released_folder", lambda family: root / family.name / "released"
    )
    [path, *_] = FOLDER.glob("hyperprior-*.yoto")
    description = files.describe(path)
    assert description["model"] == "tiny"
    assert description["model_id"] == former_id("hyperprior").hex()
    files.decompress_files(path, tmp_path / "decoded.png")
    decoded = read_image(tmp_path / "decoded.png").astype(int)
    assert np.abs(decoded - read_image(path.with_suffix(".png"))).max() <= 1
    [other, *_] = FOLDER.glob("factorized-*.yoto")
    with pytest.raises(FormatError, match="none of the pretrained ones"):
        files.decompress_files(other, tmp_path / "other.png")


def test_the_stylizer_and_the_vae_give_the_same_pictures():
    stylizer = zoo.load(FOLDER / "stylization")
    image = read_image(FOLDER / "picture.png")
    stylized = stylizer.stylize(image, "dots", content=1.0).astype(int)
    assert np.abs(stylized - read_image(FOLDER / "stylized.png")).max() <= 1
    samples = zoo.load(FOLDER / "vae").sample(4, seed=1, kl=2.0).astype(int)
    assert np.abs(samples - np.load(FOLDER / "samples.npy")).max() <= 1


def small_recipe(**fields):
    return dataclasses.replace(
        load_recipe("codec/small"),
        steps=6,
        filters=(8, 8, 8, 8),
        hyper_filters=4,
        patch_size=64,
        warmup_steps=2,
        precision="float32",
        data=str(FOLDER / "picture.png"),
        **fields,
    )


def test_a_training_carries_on(tmp_path):
    workdir = shutil.copytree(FOLDER / "training", tmp_path / "training")
    trained = train(small_recipe(), None, workdir, resume=True)
    assert (trained.step, trained.finished) == (6, True)
    # What was released at its end are the weights that the checkpoint holds.
    released = zoo.load(FOLDER / "hyperprior").model
    for ours, theirs in zip(
        trained.model.network.weights, released.weights, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-6)
    trained = train(small_recipe(), None, workdir, steps=8, resume=True)
    assert trained.step == 8
    assert checkpoint.steps(workdir / "checkpoints") == [6, 8]


def test_a_training_starts_from_classes_that_have_moved(moved):
    model = small_recipe().build()
    model.network.build(None)
    release = read_release(moved)
    start_from(model.network, release)
    path = "log_gain/dense/kernel"
    kernel = model.network.log_gain.dense.kernel
    np.testing.assert_array_equal(kernel, release.weights[path].astype("float32"))
    assert read_release(moved).network().name == "hyperprior"


@pytest.mark.parametrize(
    "imports",
    ["import yoto_tf, keras", "import keras, yoto_tf"],
    ids=["before", "after"],
)
@pytest.mark.parametrize(
    ("name", "outputs"),
    [("conditioned", "conditioned"), ("loss_conditional", "outputs")],
)
def test_keras_files_load_where_classes_have_moved(name, outputs, imports, tmp_path):
    moved = tmp_path / "moved.keras"
    with (
        zipfile.ZipFile(FOLDER / f"{name}.keras") as source,
        zipfile.ZipFile(moved, "w") as copy,
    ):
        for member in source.namelist():
            content = source.read(member)
            if member == "config.json":
                content, count = re.subn(
                    rb'"module": "yoto_tf\.[\w.]+"', b'"module": "nowhere"', content
                )
                assert count > 3
            copy.writestr(member, content)
    code = LOAD.format(imports=imports)
    run = [sys.executable, "-c", code, moved, FOLDER / "outputs.npz"]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = np.load(FOLDER / "outputs.npz")[outputs]
    np.testing.assert_allclose(
        json.loads(done.stdout.splitlines()[-1]), expected, rtol=1e-5, atol=1e-6
    )
