"""Notebooks that have run, as the repository keeps them: small, with what they show."""

import base64
import io
import re
from pathlib import Path

import nbformat
from PIL import Image

COLAB = Path(__file__).parents[1] / "colab"
MOST_BYTES = 300_000
# What it is stored with, the best that keeps a notebook that small.
QUALITIES = range(90, 30, -5)
# {notebook: which of its pictures stands in the table of contents}.
IN_CONTENTS = {
    "compress_your_photos": 1,
    "deploy": 0,
    "fine_tune": 2,
    "quickstart": 2,
    "stylize": 2,
    "train_your_own": 2,
}
CONTENTS_WIDTH = 480
_WIDEST = 1200
_WIDGETS = "application/vnd.jupyter.widget-state+json"
_VIEW = "application/vnd.jupyter.widget-view+json"


def store(name, executed, folder=COLAB):
    """Writes NAME.ipynb with the outputs of a run, and NAME.jpg for the contents.

    Pictures become JPEG; a widget becomes the picture in it. What was written to
    standard error, bars and warnings, is left out.

    Args:
        name: of a notebook that is in the folder already.
        executed: it, with outputs.
        folder: a `pathlib.Path`.

    Raises:
        ValueError: it is larger than `MOST_BYTES` at the lowest quality, or an output
            names a file of this machine.
    """
    path = folder / f"{name}.ipynb"
    stored = nbformat.read(path, as_version=4)
    shown = []
    for cell, run in zip(stored.cells, executed.cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count = run.execution_count
            cell.outputs = _outputs(run.outputs, executed.metadata.get("widgets"))
            shown += [output for output in cell.outputs if "picture" in output]
    pictures = [output.pop("picture") for output in shown]
    for quality in QUALITIES:
        for output, picture in zip(shown, pictures, strict=True):
            data = base64.b64encode(_jpeg(picture, _WIDEST, quality)).decode()
            output["data"] = {"image/jpeg": data}
        text = nbformat.writes(stored) + "\n"
        if len(text.encode()) <= MOST_BYTES:
            break
    else:
        raise ValueError(
            f"{name}: {len(text):,} bytes, expected {MOST_BYTES:,} at most"
        )
    nbformat.validate(stored)
    path.write_text(text, encoding="utf-8")
    small = _jpeg(pictures[IN_CONTENTS[name]], CONTENTS_WIDTH, 85)
    (folder / f"{name}.jpg").write_bytes(small)


def _outputs(outputs, widgets):
    """The outputs to keep; those of pictures have them as "picture"."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if output.output_type == "stream" and output.name == "stderr":
            continue
        if _VIEW in data:
            data = {"image/png": _picture_in(widgets[_WIDGETS]["state"])}
        if "image/png" in data:
            picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
            output = nbformat.v4.new_output("display_data")
            output["picture"] = picture.convert("RGB")
        elif re.search(r"/(root|home|work)/", str(output)):
            raise ValueError(f"an output names a file of this machine: {output}")
        kept.append(output)
    return kept


def _picture_in(state):
    """The picture of the one widget that is one, in base64."""
    [image] = [each for each in state.values() if each["model_name"] == "ImageModel"]
    [buffer] = image["buffers"]
    return buffer["data"]


def _jpeg(picture, widest, quality):
    if picture.width > widest:
        height = round(picture.height * widest / picture.width)
        picture = picture.resize((widest, height), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()
