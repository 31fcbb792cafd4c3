"""The stylizer's page: paintings to click and five dials.

photograph.jpg              what it shows first
styles/                     what each style makes of it
network/                    the stylizer, see `yoto_tf.export.web.graph_model`
"""

import dataclasses

import numpy as np
from PIL import Image

from yoto_tf.export.families import describe
from yoto_tf.export.sizes import with_sizes
from yoto_tf.export.web.graph_model import write_graph_model
from yoto_tf.export.web.page import WebPage, encoded, write_site

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


def web_page(stylizer):
    """The `WebPage` of a `yoto_tf.zoo.stylization.Stylizer`."""
    exportable = describe(stylizer)
    # The page has no place for the painting of a user.
    shown = {exportable.default: exportable.endpoints[exportable.default]}
    exportable = dataclasses.replace(exportable, endpoints=shown)
    exportable = with_sizes(exportable, batch=1)
    return WebPage(exportable, lambda folder: _write(exportable, folder))


def _write(exportable, folder):
    from yoto_tf.data import colosseum

    write_site("stylizer", description(exportable), folder)
    write_graph_model(
        exportable.endpoints, exportable.network.variables, folder / "network"
    )
    photograph = colosseum()
    (folder / PHOTOGRAPH).write_bytes(encoded(photograph, "jpeg", quality=88))
    (folder / STYLES).mkdir()
    for number, thumbnail in enumerate(_thumbnails(exportable, photograph)):
        content = encoded(thumbnail, "jpeg", quality=80)
        (folder / STYLES / f"{number}.jpg").write_bytes(content)


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
