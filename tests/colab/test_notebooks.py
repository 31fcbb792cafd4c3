"""The notebooks are what their texts make, and run from the top to the end."""

import importlib.metadata
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import types
from pathlib import Path

import keras
import matplotlib.pyplot as plt
import nbclient
import nbformat
import numpy as np
import pytest
from PIL import Image

import yoto_tf as yoto
from yoto_tf.data import read_image, write_image

COLAB = Path(__file__).parents[2] / "colab"
# What takes the place of the cell that is tagged "parameters"; elsewhere, what the
# cell's metadata say.
SHORTENED = {
    "compress_your_photos": "PHOTOS = {photograph!r}",
    "deploy": "MODEL = {small_codec!r}",
}
LARGEST = 300_000  # bytes of a notebook


def load_build():
    spec = importlib.util.spec_from_file_location("build", COLAB / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = load_build()


def shortened(name, **values):
    """A notebook with its one parameter replaced."""
    notebook = nbformat.read(COLAB / f"{name}.ipynb", as_version=4)
    tags = [cell.metadata.get("tags", []) for cell in notebook.cells]
    cell = notebook.cells[tags.index(["parameters"])]
    short = SHORTENED.get(name, cell.metadata.get("short"))
    parameter, equals, _ = short.partition(" = ")
    assert cell.source.startswith(parameter + equals)
    assert "\n" not in cell.source
    cell.source = short.format(**{"photograph": "", **values})
    return notebook


def run(notebook, folder, **environment):
    """Runs all cells in a kernel of their own; raises what one of them raises."""
    resources = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(notebook, timeout=300, resources=resources)
    client.execute(env={**os.environ, **environment})


def code(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def repository():
    """What the stored notebooks are installed from; in a fork it is another."""
    notebooks = [nbformat.read(file, as_version=4) for file in COLAB.glob("*.ipynb")]
    [address] = {
        re.search('"git[+](.*)"', code(notebook)[0])[1] for notebook in notebooks
    }
    return address


def test_there_is_a_notebook_for_every_text():
    assert {file.stem for file in COLAB.glob("*.ipynb")} == set(build.names())
    assert set(SHORTENED) < set(build.names())


@pytest.mark.parametrize("name", build.names())
def test_a_notebook_is_what_its_text_makes(name):
    stored = (COLAB / f"{name}.ipynb").read_text(encoding="utf-8")
    built = build.build(name, repository())
    assert build.with_outputs(built, stored) == stored, "run: python colab/build.py"
    notebook = nbformat.reads(stored, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    assert nbformat.writes(notebook) + "\n" == built


@pytest.mark.parametrize("name", build.names())
def test_a_notebook_is_stored_as_it_ran(name):
    path = COLAB / f"{name}.ipynb"
    assert path.stat().st_size <= LARGEST
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    counts = [cell.execution_count for cell in cells]
    assert counts == list(range(1, len(cells) + 1)), "benchmarks/notebooks.py --store"
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    pictures = [output.get("data", {}) for output in outputs]
    assert sum("image/jpeg" in data for data in pictures) >= 1
    assert not any("image/png" in data for data in pictures)


@pytest.mark.parametrize("name", build.names())
def test_a_notebook_ends_with_what_next(name):
    *_, last = nbformat.read(COLAB / f"{name}.ipynb", as_version=4).cells
    assert last.cell_type == "markdown"
    assert "## What next" in last.source


def test_a_cell_that_changes_loses_its_outputs(tmp_path):
    stored = nbformat.reads(build.build("deploy"), as_version=4)
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="as it was")]
            cell.execution_count = 1
    changed, *others = [cell for cell in stored.cells if cell.cell_type == "code"]
    changed.id = "another"
    kept = build.with_outputs(build.build("deploy"), nbformat.writes(stored))
    first, *rest = [
        cell
        for cell in nbformat.reads(kept, as_version=4).cells
        if cell.cell_type == "code"
    ]
    assert (first.outputs, first.execution_count) == ([], None)
    assert [cell.outputs for cell in rest] == [cell.outputs for cell in others]


def test_the_contents_show_each_notebook():
    text = (COLAB / "README.md").read_text(encoding="utf-8")
    for name in build.names():
        assert text.count(f"({name}.ipynb)") >= 1
        assert f"({name}.jpg)" in text
        with Image.open(COLAB / f"{name}.jpg") as picture:
            assert picture.width == 480


def test_notebooks_for_another_repository(tmp_path, monkeypatch):
    for file in COLAB.glob("*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    for address, badge in (
        ("https://github.com/somebody/dials", True),
        ("https://git.example.org/dials", False),
        ("file:///home/somebody/dials", False),
    ):
        monkeypatch.setattr(sys, "argv", ["build.py", "--repository", f"{address}/"])
        assert build.main() == 0
        for name in build.names():
            notebook = nbformat.read(tmp_path / f"{name}.ipynb", as_version=4)
            assert f'"git+{address}"' in code(notebook)[0]
            place = f"/github/somebody/dials/blob/main/colab/{name}.ipynb)\n\n# "
            assert (place in notebook.cells[0].source) == badge
            assert ("Open in Colab" in notebook.cells[0].source) == badge


def test_the_notebooks_are_installed_from_the_package_s_home():
    setup = (COLAB.parent / "setup.py").read_text(encoding="utf-8")
    assert f'URL = "{build.REPOSITORY}"' in setup
    assert "url=URL" in setup
    texts = [file.read_text(encoding="utf-8") for file in COLAB.glob("*.py")]
    assert sum(text.count(build.REPOSITORY) for text in texts) == 1
    assert f"git+{build.REPOSITORY}" in build.build("deploy")


# `.ci/run` runs them all on the Python that Colab has, by `benchmarks/notebooks.py`.
@pytest.mark.nightly
@pytest.mark.parametrize("name", build.names())
def test_a_notebook_runs(name, request, tmp_path, monkeypatch):
    # It would take the place of the kernel's own, which shows pictures inline.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    values = {}
    if name == "compress_your_photos":
        small = request.getfixturevalue("photograph")[::4, ::4]
        write_image(tmp_path / "small.png", small)
        values["photograph"] = str(tmp_path / "small.png")
    if name == "deploy":
        values["small_codec"] = str(request.getfixturevalue("release_folder"))
    notebook = shortened(name, **values)
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    run(
        notebook,
        tmp_path,
        PATH=path,
        TMPDIR=str(tmp_path),
        TFHUB_CACHE_DIR=str(tmp_path / "hub"),
    )
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert "No restart is needed" in outputs[0].text
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert pictures


def test_a_cell_that_raises_ends_a_run(tmp_path):
    cells = map(nbformat.v4.new_code_cell, ["raise SystemExit('restart')", "1 / 1"])
    notebook = nbformat.v4.new_notebook(cells=list(cells))
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="restart"):
        run(notebook, tmp_path)
    assert notebook.cells[1].execution_count is None


@pytest.fixture
def downloaded(tmp_path, monkeypatch):
    """Takes Colab's place, where mine.png is uploaded; names of downloaded files."""
    plt.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    names = []

    def upload():
        rows, columns = np.mgrid[:200, :300]
        Image.fromarray(np.uint8((rows // 5 + columns // 7) % 256)).save("mine.png")
        return {"mine.png": b"its content"}

    colab = types.ModuleType("google.colab")
    colab.drive = types.SimpleNamespace()
    colab.files = types.SimpleNamespace(upload=upload, download=names.append)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    return names


def variables_of(name):
    """Runs a notebook's cells in this process, without the installation."""
    variables = {}
    _, *cells = code(shortened(name))
    exec("\n".join(cells), variables)
    plt.close("all")
    return variables


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_on_colab_a_picture_is_uploaded_and_a_file_downloaded(tmp_path, downloaded):
    variables = variables_of("compress_your_photos")

    # In its own size.
    assert variables["image"].shape == (200, 300, 3)
    assert downloaded == ["picture.yoto", "compressed.zip"]
    data = (tmp_path / "picture.yoto").read_bytes()
    assert 0.99 * variables["TARGET_SIZE"] - 1 <= len(data) <= variables["TARGET_SIZE"]
    decoded = yoto.zoo.load("codec").decompress(data)
    np.testing.assert_array_equal(decoded, variables["decompressed"])


@pytest.fixture
def untrained_stylizer(tmp_path, monkeypatch):
    """Makes it the pretrained one; its conditioning is far from its start."""
    from yoto_tf.zoo import families
    from yoto_tf.zoo.stylization import StyleNetwork, Stylizer

    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    dials = dict.fromkeys(names, yoto.LogUniform(0.01, 1))
    styles = ("starry_night", "udnie")
    network = StyleNetwork(yoto.Coefficients(**dials), styles, 0.125, 2, 8)
    network.build(None)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    stylizer = Stylizer.from_network(network)
    stylizer.save(tmp_path / "stylization" / "released" / "stylization")
    monkeypatch.setattr(
        families, "released_folder", lambda family: tmp_path / family.name / "released"
    )
    return stylizer


@pytest.mark.filterwarnings("ignore:.*non-interactive")
def test_the_sliders_change_the_preview_and_what_is_saved(
    untrained_stylizer, tmp_path, downloaded
):
    variables = variables_of("stylize")
    preview, dials = variables["preview"], variables["dials"]
    seen = [preview.value]

    dials["content"].value = 1.0
    seen.append(preview.value)
    dials["style_4"].value = 0.02
    seen.append(preview.value)
    variables["style"].value = "udnie"
    seen.append(preview.value)
    variables["keep_colors"].value = True
    seen.append(preview.value)
    assert len(set(seen)) == 5

    def stylized(image):
        return untrained_stylizer.stylize(
            image, "udnie", preserve_color=True, content=1.0, style_4=0.02
        )

    shown = np.asarray(Image.open(io.BytesIO(preview.value)))
    assert shown.shape == (43, 64, 3)
    np.testing.assert_array_equal(shown, stylized(variables["small"]))

    cells = code(shortened("stylize"))
    [save] = [cell for cell in cells if 'write_image("painted.png"' in cell]
    exec(save, variables)
    assert downloaded == ["painted.png"] * 2
    saved = read_image(tmp_path / "painted.png")
    assert saved.shape == (200, 300, 3)
    np.testing.assert_array_equal(saved, stylized(read_image(tmp_path / "mine.png")))


@pytest.fixture
def session(monkeypatch):
    """A session without yoto_tf and setuptools, with NumPy 1 in use and Pillow 1."""
    versions = {"numpy": "1", "pillow": "1"}

    def distributions():
        for name, version in versions.items():
            yield types.SimpleNamespace(metadata={"Name": name}, version=version)

    owners = {"numpy": ["numpy"], "an_image_library": ["pillow"]}
    monkeypatch.setattr(importlib.metadata, "distributions", distributions)
    monkeypatch.setattr(importlib.metadata, "packages_distributions", lambda: owners)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    return versions


@pytest.mark.parametrize("replaced", ["numpy", "setuptools", "pillow"])
def test_the_first_cell_says_whether_to_restart(replaced, session, monkeypatch, capsys):
    commands = []

    def pip(command, check):
        commands.append(command)
        assert check
        session[replaced] = "2"

    monkeypatch.setattr(subprocess, "run", pip)
    [first, *_] = code(shortened("train_your_own"))
    if replaced != "pillow":
        restart = rf"^RESTART NEEDED.*in use: {replaced}\.$"
        with pytest.raises(Exception, match=restart) as raised:
            exec(first, {})
        # In place of a traceback.
        assert raised.value._render_traceback_() == [str(raised.value)]
    else:
        exec(first, {})
        assert "No restart is needed" in capsys.readouterr().out
    [command] = commands
    assert command[:4] == [sys.executable, "-m", "pip", "install"]
    assert command[-1] == f"git+{repository()}"


def test_a_wheel_beside_the_notebook_is_installed(
    session, tmp_path, monkeypatch, capsys
):
    for number, version in enumerate(("0.10.0", "0.9.0")):
        wheel = tmp_path / f"yoto_tf-{version}-py3-none-any.whl"
        wheel.touch()
        os.utime(wheel, (number, number))
    monkeypatch.chdir(tmp_path)
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda pip, check: commands.append(pip))
    [first, *_] = code(shortened("train_your_own"))
    exec(first, {})
    [command] = commands
    assert command[-1] == str(wheel)
    assert f"Installing from {wheel}" in capsys.readouterr().out


def test_in_a_clone_the_clone_is_installed(session, tmp_path, monkeypatch):
    (tmp_path / "colab").mkdir()
    shutil.copy(COLAB / "first_cell.py", tmp_path / "colab")
    monkeypatch.chdir(tmp_path / "colab")
    commands = []
    monkeypatch.setattr(subprocess, "run", lambda pip, check: commands.append(pip))
    [first, *_] = code(shortened("train_your_own"))
    exec(first, {})
    [command] = commands
    assert command[-1] == str(tmp_path)
