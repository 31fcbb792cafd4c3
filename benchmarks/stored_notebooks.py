"""Notebooks that have run, as the repository keeps them: small, with what they show."""

import base64
import io
import re
from pathlib import Path

import nbformat
from PIL import Image, ImageOps

COLAB = Path(__file__).parents[1] / "colab"
MOST_BYTES = 300_000
# Pixels of the longer side at most and quality of its pictures: the first that make a
# notebook so small.
SETTINGS = (
    *((1200, 90), (1200, 75), (1000, 75), (900, 70), (800, 65), (700, 60), (650, 50)),
    *((620, 40), (580, 35), (540, 32), (500, 30)),
)
# {notebook: which of its pictures stands in the table of contents}.
IN_CONTENTS = {
    "compress_your_photos": 0,
    "deploy": 0,
    "fine_tune": 0,
    "quickstart": 2,
    "stylize": 2,
    "train_your_own": 2,
}
CONTENTS_SIZE = (480, 300)
_TEMPORARY = re.compile(r"/tmp/notebooks-\w+/temporary/")
_WIDGETS = "application/vnd.jupyter.widget-state+json"
_VIEW = "application/vnd.jupyter.widget-view+json"


def store(name, executed, folder=COLAB):
    """Writes NAME.ipynb with the outputs of a run, and NAME.jpg for the contents.

    Pictures become JPEG, a widget the picture in it, and a bar what it was at last.
    What was written to standard error is left out.

    Args:
        name: of a notebook that is in the folder already.
        executed: it, with outputs.
        folder: a `pathlib.Path`.

    Raises:
        ValueError: it is larger than `MOST_BYTES` with the last of `SETTINGS`, or an
            output names a file of this machine.
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
    for longest, quality in SETTINGS:
        for output, picture in zip(shown, pictures, strict=True):
            data = base64.b64encode(_jpeg(picture, longest, quality)).decode()
            output["data"] = {"image/jpeg": data}
        text = nbformat.writes(stored) + "\n"
        if len(text.encode()) <= MOST_BYTES:
            break
    else:
        raise ValueError(f"{name} has {len(text):,} bytes, expected {MOST_BYTES:,}")
    nbformat.validate(stored)
    path.write_text(text, encoding="utf-8")
    top = ImageOps.fit(pictures[IN_CONTENTS[name]], CONTENTS_SIZE, centering=(0.5, 0))
    (folder / f"{name}.jpg").write_bytes(_jpeg(top, CONTENTS_SIZE[0], 85))


def _outputs(outputs, widgets):
    """The outputs to keep; those of pictures have them as "picture"."""
    kept = []
    for output in outputs:
        data = output.get("data", {})
        if output.output_type == "stream":
            if output.name == "stdout":
                if kept and kept[-1].output_type == "stream":
                    output = nbformat.from_dict(
                        {**output, "text": kept.pop().text + output.text}
                    )
                kept.append(output)
            continue
        if _VIEW in data:
            data = {"image/png": _picture_in(widgets[_WIDGETS]["state"])}
        if "image/png" in data:
            picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
            output = nbformat.v4.new_output("display_data")
            output["picture"] = picture.convert("RGB")
        kept.append(output)
    for output in kept:
        if output.output_type == "stream":
            output.text = _TEMPORARY.sub("/tmp/", _as_on_a_terminal(output.text))
        if re.search(r"/(root|home|work)/|/tmp/notebooks", str(output)):
            raise ValueError(f"an output names a file of this machine: {output}")
    return kept


def _as_on_a_terminal(text):
    """Where a line begins anew, only what was written last."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)


def _picture_in(state):
    """The picture of the one widget that is one, in base64."""
    [image] = [each for each in state.values() if each["model_name"] == "ImageModel"]
    [buffer] = image["buffers"]
    return buffer["data"]


def _jpeg(picture, longest, quality):
    picture = picture.copy()
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()
