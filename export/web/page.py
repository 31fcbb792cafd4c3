"""A page: what a family shows in a browser, and how its files are written."""

import dataclasses
import importlib.resources
import io
import json
from collections.abc import Callable

from PIL import Image

from yoto_tf.export.exportable import Exportable

# What a template has around the place of a description, which is a valid one, to edit
# the page with.
_START = '<script type="application/json" id="description">'
_END = "</script>"


@dataclasses.dataclass(frozen=True)
class WebPage:
    """The page of a model.

    Attributes:
        exportable: what `yoto.json` says of the model; its endpoints are what the
            network answers.
        write: function of a `pathlib.Path`, an existing folder, that writes there all
            but TensorFlow.js and `yoto.json`.
    """

    exportable: Exportable
    write: Callable


def write_site(name, description, folder):
    """Writes the files that are the same for all models of a family.

    Args:
        name: of the folder in `site/` beside this file; what is in `shared/` is written
            too.
        description: what the page is told, which JSON can hold.
        folder: a `pathlib.Path`.
    """
    site = importlib.resources.files(__package__) / "site"
    for source in (site / "shared", site / name):
        _copy(source, folder, description)


def _copy(source, folder, description):
    folder.mkdir(exist_ok=True)
    for entry in source.iterdir():
        if entry.is_dir():
            _copy(entry, folder / entry.name, description)
            continue
        content = entry.read_bytes()
        if entry.name == "index.html":
            content = filled(content.decode(), description).encode()
        (folder / entry.name).write_bytes(content)


def filled(template, description):
    """A page that is told something else than its template."""
    # A text that holds "</script>" would end the element around the description.
    text = json.dumps(description, separators=(",", ":")).replace("<", "\\u003c")
    head, _, rest = template.partition(_START)
    _, _, tail = rest.partition(_END)
    return f"{head}{_START}{text}{_END}{tail}"


def encoded(pixels, kind, **options):
    """A picture uint8 [H, W, 3] as the content of a file of Pillow's format `kind`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()
