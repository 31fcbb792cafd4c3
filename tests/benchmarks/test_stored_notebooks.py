"""Notebooks that have run, as they are stored."""

import base64
import io

import nbformat
import numpy as np
import pytest
import stored_notebooks
from PIL import Image


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def output(kind, **values):
    return nbformat.v4.new_output(kind, **values)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    """A function that stores a notebook with outputs and gives what was stored."""
    monkeypatch.setattr(stored_notebooks, "IN_CONTENTS", {"mine": 0})

    def stored(*outputs, widgets=None):
        cells = [nbformat.v4.new_markdown_cell("# A"), nbformat.v4.new_code_cell("1")]
        empty = nbformat.v4.new_notebook(cells=cells)
        nbformat.write(empty, tmp_path / "mine.ipynb")
        run = nbformat.from_dict(empty)
        run.cells[1].update(outputs=list(outputs), execution_count=3)
        run.metadata["widgets"] = widgets or {}
        stored_notebooks.store("mine", run, tmp_path)
        return nbformat.read(tmp_path / "mine.ipynb", as_version=4)

    return stored


@pytest.fixture
def noise():
    """More than 300 kB, as PNG and as a good JPEG."""
    return np.random.default_rng(0).integers(0, 256, (600, 900, 3), "uint8")


def picture_in(output):
    [(kind, data)] = output["data"].items()
    assert kind == "image/jpeg"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_pictures_become_small(notebook, noise, tmp_path):
    shown = output("display_data", data={"image/png": png(noise), "text/plain": "<P>"})
    stored = notebook(shown)
    assert (tmp_path / "mine.ipynb").stat().st_size <= stored_notebooks.MOST_BYTES
    [cell] = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert (cell.source, cell.execution_count) == ("1", 3)
    picture = picture_in(cell.outputs[0])
    assert picture.width >= 650
    assert picture.width == pytest.approx(1.5 * picture.height, rel=0.01)
    assert Image.open(tmp_path / "mine.jpg").size == stored_notebooks.CONTENTS_SIZE


def test_text_is_kept_and_bars_as_they_were_last(notebook, noise):
    outputs = notebook(
        output("stream", name="stderr", text="100%|####|"),
        output("stream", name="stdout", text="7 bytes\r\n  0%|  "),
        output("stream", name="stdout", text="\r 50%|# \r100%|##\r\n"),
        output("stream", name="stderr", text="a warning"),
        output("stream", name="stdout", text="in /tmp/notebooks-a_1/temporary/b\n"),
        output("execute_result", data={"text/plain": "7"}, execution_count=3),
        output("display_data", data={"image/png": png(noise[:9, :9])}),
    ).cells[1]["outputs"]
    assert outputs[0]["text"] == "7 bytes\n100%|##\nin /tmp/b\n"
    assert outputs[1]["data"] == {"text/plain": "7"}
    assert picture_in(outputs[2]).size == (9, 9)
    assert len(outputs) == 3


def test_a_widget_becomes_its_picture(notebook, noise):
    view = output("display_data", data={stored_notebooks._VIEW: {"model_id": "a"}})
    image = {
        "model_name": "ImageModel",
        "buffers": [{"data": png(noise[:5, :6]), "path": ["value"]}],
    }
    state = {"a": {"model_name": "HBoxModel"}, "b": image}
    stored = notebook(view, widgets={stored_notebooks._WIDGETS: {"state": state}})
    assert picture_in(stored.cells[1]["outputs"][0]).size == (6, 5)
    assert "widgets" not in stored.metadata


def test_what_cannot_be_stored(notebook, noise, monkeypatch):
    with pytest.raises(ValueError, match="names a file of this machine"):
        notebook(output("stream", name="stdout", text="/root/photos/a.png\n"))
    shown = output("display_data", data={"image/png": png(noise)})
    with pytest.raises(ValueError, match=r"mine has [\d,]+ bytes, expected 300,000"):
        notebook(*[shown] * 30)
