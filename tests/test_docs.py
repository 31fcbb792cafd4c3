"""The ```python blocks of the guides run, one guide after another in its own folder.

What is not to be run is fenced as ```py, and says why, see `documented.py`. The README
indents its code.
"""

import re
from pathlib import Path

import documented
import keras
import numpy as np
import pytest
import tensorflow as tf

from yoto_tf import zoo
from yoto_tf.data import photograph, write_image

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)

README = (ROOT / "README.md").read_text(encoding="utf-8")
*FAMILIES, OWN_MODEL = (
    block.code
    for block in documented.blocks("README.md")
    if block.language == "indented python" and not block.not_run
)


def blocks(guide):
    return BLOCK.findall((DOCS / guide).read_text(encoding="utf-8"))


def run(guide, folder, monkeypatch):
    """Runs the blocks of a guide as one program; returns its variables."""
    monkeypatch.chdir(folder)
    keras.utils.set_random_seed(0)
    variables = {"__name__": guide}
    for block in blocks(guide):
        exec(compile(block, guide, "exec"), variables)
    return variables


# Each exports one model, to be loaded elsewhere.
FORMATS = ("export.md", "tpu.md", "litert.md", "onnx.md")
OTHER_GUIDES = sorted(
    path.name
    for path in DOCS.glob("*.md")
    if path.name not in ("your-own-model.md", *FORMATS) and blocks(path.name)
)


@pytest.mark.parametrize("guide", OTHER_GUIDES)
def test_guide(guide, tmp_path, monkeypatch):
    """The user that a guide speaks to has pictures, here small ones."""
    for name in ("photo.jpg", "painting.jpg"):
        write_image(tmp_path / name, photograph()[:160, :240])
    run(guide, tmp_path, monkeypatch)


def exports(page):
    """The folders that the commands of a page export to."""
    lines = "\n".join(block.code for block in documented.blocks(page))
    return re.findall(r"^yoto export \S+ (\S+)", lines, re.MULTILINE)


def test_guides_to_formats_can_be_followed_in_one_folder(tmp_path, monkeypatch):
    """What one has exported is not in the way of the next."""
    for guide in FORMATS:
        run(guide, tmp_path, monkeypatch)
    folders = [folder for guide in FORMATS for folder in exports(f"docs/{guide}")]
    assert len(folders) == len(set(folders)) == len(FORMATS)


def test_readme_has_the_sizes_of_the_models():
    sizes = dict(
        re.findall(r"^\| `([\w-]+)` \|.*\| (\S+) MB \|$", README, re.MULTILINE)
    )
    assert sizes == {
        name: f"{summary.bytes / 1e6:.1f}" for name, summary in zoo.summaries().items()
    }


@pytest.mark.parametrize(
    ("number", "written"),
    list(enumerate(["photo.png", "painted.png", "samples.png"])),
)
def test_readme(number, written, tmp_path, monkeypatch):
    assert len(FAMILIES) == 3
    monkeypatch.chdir(tmp_path)
    write_image("photo.jpg", photograph())
    code = FAMILIES[number]
    assert len([line for line in code.splitlines() if line]) <= 10
    exec(compile(code, "README.md", "exec"), {})
    assert (tmp_path / written).stat().st_size > 0


def test_readme_with_your_own_model():
    """The model and the data are those that the reader has."""
    image = keras.Input((8, 8, 1))
    features = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(image)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    heads = {
        "labels": keras.layers.Dense(3, activation="softmax")(pooled),
        "depth": keras.layers.Conv2D(1, 1)(features),
    }
    x = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype("float32")
    y = {"labels": np.arange(8) % 3, "depth": x}
    pairs = tf.data.Dataset.from_tensor_slices((x, y)).batch(4)
    found = {"any_keras_model": keras.Model(image, heads), "pairs": pairs, "x": x}
    exec(compile(OWN_MODEL, "README.md", "exec"), found)
    sharp = found["model"].predict_at(x, depth=1.0)["depth"]
    soft = found["model"].predict_at(x, depth=0.01)["depth"]
    assert sharp.shape == soft.shape == (8, 8, 8, 1)


def test_your_own_model(tmp_path, monkeypatch, capsys):
    code = "".join(blocks("your-own-model.md"))
    assert len([line for line in code.splitlines() if line.strip()]) < 40
    found = run("your-own-model.md", tmp_path, monkeypatch)

    smoothness, error = found["front"].points("smoothness", "error").T
    assert (np.diff(smoothness) < 0).all()
    assert smoothness[-1] < 0.8 * smoothness[0]
    # The noise has a variance of 0.04.
    assert error[0] < 0.02
    assert found["best"].values["error"] <= 0.02
    assert (tmp_path / "front.png").stat().st_size > 0
    loaded = keras.models.load_model(tmp_path / "denoiser.keras")
    inputs = {"noisy": found["noisy"][:8], "coefficients": np.full((8, 1), 0.5)}
    outputs = loaded(inputs)["error"]
    np.testing.assert_allclose(outputs, found["smooth"], atol=1e-6)
    baked = keras.models.load_model(tmp_path / "smooth.keras")
    np.testing.assert_allclose(
        baked(found["noisy"][:8])["error"], found["smooth"], atol=1e-5
    )
