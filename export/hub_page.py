"""The page of a model, in the Markdown format of the tfhub.dev repository.

The first line has the type and the handle. A description, metadata in HTML comments
and free Markdown follow. All of it comes from the manifest of an export.
"""

import math
import re

from yoto_tf import zoo
from yoto_tf.errors import printable
from yoto_tf.zoo.families import all_families

# tfhub.dev has no task for compression and the like.
_OTHER_TASK = "image-others"
_PUBLISHER = "yoto"
_LICENCES = {
    "apache-2.0": "Apache-2.0, as the library. The overview names the data.",
    "custom": "To be filled in by the publisher, here and in the metadata above.",
}


def page(manifest, name, version):
    """Renders the page of a model.

    Args:
        manifest: the content of `assets/yoto.json`, see `yoto_tf.export.manifest`.
        name: `NAME` or `PUBLISHER/NAME`.
        version: integer.

    Returns:
        UTF-8.
    """
    coefficients = ", ".join(map(_code, manifest["coefficients"]))
    description, overview = _split(manifest["card"])
    family = all_families().get(manifest["family"])
    licence = licence_of(manifest["id"]) or "custom"
    metadata = {
        # Relative to this page. A catalogue elsewhere needs the whole address.
        "asset-path": f"{version}.tar.gz",
        "task": (family and family.hub_task) or _OTHER_TASK,
        "fine-tunable": "true",
        "format": "saved_model_2",
        "license": licence,
    }
    url = f"https://HOST/{name}/{version}.tar.gz"
    parts = [
        f"# Module {name if '/' in name else f'{_PUBLISHER}/{name}'}/{version}",
        description or f"The weights of its losses are inputs: {coefficients}.",
        "\n".join(f"<!-- {key}: {value} -->" for key, value in metadata.items()),
        "## Overview",
        "Trained once on many weightings of its losses (Dosovitskiy and Djolonga, *You "
        f"Only Train Once*, ICLR 2020), it takes the weighting as an input: "
        f"{coefficients}.",
        overview,
        "## Coefficients",
        _coefficients(manifest),
        *_styles(manifest),
        "## Signatures",
        _signatures(manifest),
        "## Example use",
        _example(manifest, url),
        "## Licence",
        _LICENCES[licence],
    ]
    return ("\n\n".join(part for part in parts if part) + "\n").encode()


def licence_of(model_id):
    """ "apache-2.0" of a model that is pretrained here; None of another.

    Args:
        model_id: hexadecimal, of the model as it is or as it was named before.
    """
    released = {
        known.hex()
        for summary in zoo.summaries().values()
        for known in (summary.id, *summary.former_ids)
    }
    return "apache-2.0" if model_id in released else None


def _split(card):
    """A card's first paragraph as one line, and the rest with smaller headings."""
    card = re.sub(r"\A\s*#[^\n]*\n", "", card).strip()
    if card.startswith("#"):
        description, rest = "", card
    else:
        description, _, rest = card.partition("\n\n")
    return " ".join(description.split()), re.sub("^#", "##", rest.strip(), flags=re.M)


def _code(name):
    """A name as code in Markdown, escaped so that it stays in its line and its cell."""
    name = printable(name).replace("`", "'").replace("|", "\\|")
    return f"`{name}`"


def _coefficients(manifest):
    lines = [
        "Raw values, clipped to these ranges; one vector for the batch or one for each "
        "example.",
        "",
        "| column | coefficient | from | to |",
        "|---|---|---|---|",
    ]
    for column, (name, (low, high)) in enumerate(manifest["coefficients"].items()):
        lines.append(f"| {column} | {_code(name)} | {low:g} | {high:g} |")
    return "\n".join(lines)


def _styles(manifest):
    styles = manifest["styles"]
    if not styles:
        return []
    lines = (f"{number}. {_code(style)}" for number, style in enumerate(styles))
    return ["## Styles", "\n".join(lines)]


def _signatures(manifest):
    lines = ["| signature | takes | returns |", "|---|---|---|"]
    for name, signature in manifest["signatures"].items():
        inputs, outputs = (
            "<br>".join(
                f"{_code(tensor)} {_described(like)}"
                for tensor, like in signature[side].items()
            )
            for side in ("inputs", "outputs")
        )
        lines.append(f"| {_code(name)} | {inputs} | {outputs} |")
    return "\n".join(lines)


def _described(tensor):
    return f"{tensor['dtype']} [{', '.join(map(str, tensor['shape']))}]"


def _example(manifest, url):
    signatures = manifest["signatures"]
    of_pictures = (
        name
        for name, signature in signatures.items()
        if "image" in signature["inputs"] and "image" in signature["outputs"]
    )
    shown = next(of_pictures, next(iter(signatures)))
    middle = [_middle(*bounds) for bounds in manifest["coefficients"].values()]
    shares = [1.0, *(0.0 for _ in manifest["styles"][1:])]
    values = {
        "coefficients": f"tf.constant({middle})",
        "style": f"tf.constant({shares})",
    }
    inputs = "\n".join(
        f'    "{name}": {values.get(name, name)},  # {_described(tensor)}'
        for name, tensor in signatures[shown]["inputs"].items()
    )
    if manifest["family"] not in all_families():
        # Keras finds the classes of the layers once the library is imported.
        module = "keras\nimport yoto_tf"
        load = 'keras.models.load_model(f"{hub.resolve(url)}/model.keras")'
    else:
        module = "yoto_tf as yoto"
        load = "yoto.zoo.load(url).model"
    return f"""\
```python
import tensorflow as tf
import tensorflow_hub as hub

url = "{url}"
model = hub.load(url)
inputs = {{
{inputs}
}}
outputs = model.{shown}(inputs)
```

To fine-tune it, call `model(inputs, training=True)` under a `tf.GradientTape` and apply
the gradients to `model.trainable_variables`. Where the library is installed, the Keras
model can be loaded:

```python
import {module}

network = {load}
```"""


def _middle(low, high):
    middle = math.sqrt(low * high) if low > 0 else (low + high) / 2
    return float(f"{middle:.2g}")
