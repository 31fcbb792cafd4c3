"""The page around the network."""

import importlib.resources
import io
import json

import numpy as np
from PIL import Image

PHOTOGRAPH = "photograph.jpg"
STYLES = "styles"
# What is shown first, where the stylizer has it.
FIRST = "great_wave"
# Pixels, the longer side.
THUMBNAIL = 144
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
_PLACE = '{ "styles": [], "first": 0, "dials": [] }'


def write_page(exportable, folder):
    """Writes the page of a stylizer into an existing folder.

    Args:
        exportable: its `Exportable`.
        folder: a `pathlib.Path`.
    """
    from yoto_tf.data import colosseum

    site = importlib.resources.files(__package__) / "site"
    for file in site.iterdir():
        content = file.read_bytes()
        if file.name == "index.html":
            content = _filled(content.decode(), description(exportable)).encode()
        (folder / file.name).write_bytes(content)
    photograph = colosseum()
    (folder / PHOTOGRAPH).write_bytes(_jpeg(photograph, 88))
    (folder / STYLES).mkdir()
    for number, thumbnail in enumerate(_thumbnails(exportable, photograph)):
        (folder / STYLES / f"{number}.jpg").write_bytes(_jpeg(thumbnail, 80))


def description(exportable):
    """What the page is told: styles, which is shown first, dials with their values.

    Every dial has its value at evenly spaced quantiles of the trained distribution.
    """
    styles = list(exportable.styles)
    return {
        "styles": styles,
        "first": styles.index(FIRST) if FIRST in styles else 0,
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


def _thumbnails(exportable, photograph):
    """What each style makes of a small photograph, with dials in the middle."""
    small = Image.fromarray(photograph)
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    dials = exportable.coefficients.independent.values()
    inputs = {
        "image": np.asarray(small, "float32")[None] / 255,
        "coefficients": np.float32([[dial.quantile(0.5) for dial in dials]]),
    }
    stylize = exportable.endpoints[exportable.default]
    for share in np.eye(len(exportable.styles), dtype="float32"):
        image = stylize({**inputs, "style": share[None]})["image"]
        yield np.uint8(255 * np.asarray(image)[0] + 0.5)


def _jpeg(pixels, quality):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "jpeg", quality=quality)
    return file.getvalue()


def _filled(template, description):
    # A text that holds "</script>" would end the element around the description.
    text = json.dumps(description, separators=(",", ":")).replace("<", "\\u003c")
    return template.replace(_PLACE, text)
