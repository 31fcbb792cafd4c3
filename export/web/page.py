"""The page around the network."""

import importlib.resources
import io
import json

from PIL import Image

PHOTOGRAPH = "photograph.jpg"
# Positions of a dial.
STEPS = 101

_LABELS = {
    "content": "Photograph",
    "style_1": "Palette and grain",
    "style_2": "Small strokes",
    "style_3": "Strokes",
    "style_4": "Long strokes",
}
# What the template has in place of a description: a valid one, to edit the page with.
_PLACE = '{ "styles": [], "dials": [] }'


def write_page(exportable, folder):
    """Writes the page of a stylizer into an existing folder.

    Args:
        exportable: its `Exportable`.
        folder: a `pathlib.Path`.
    """
    from yoto_tf.data import photograph

    site = importlib.resources.files(__package__) / "site"
    for file in site.iterdir():
        content = file.read_bytes()
        if file.name == "index.html":
            content = _filled(content.decode(), description(exportable)).encode()
        (folder / file.name).write_bytes(content)
    jpeg = io.BytesIO()
    Image.fromarray(photograph()).save(jpeg, "jpeg", quality=88)
    (folder / PHOTOGRAPH).write_bytes(jpeg.getvalue())


def description(exportable):
    """What the page is told: names of styles, and dials with their values.

    Every dial has its value at evenly spaced quantiles of the trained distribution.
    """
    return {
        "styles": list(exportable.styles),
        "dials": [
            {
                "name": name,
                "label": _LABELS.get(name, name),
                "values": [
                    float(f"{distribution.quantile(step / (STEPS - 1)):.6g}")
                    for step in range(STEPS)
                ],
            }
            for name, distribution in exportable.coefficients.independent.items()
        ],
    }


def _filled(template, description):
    # A text that holds "</script>" would end the element around the description.
    text = json.dumps(description, separators=(",", ":")).replace("<", "\\u003c")
    return template.replace(_PLACE, text)
