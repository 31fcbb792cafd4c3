"""The README.md of a repository on the Hugging Face Hub.

Its metadata are YAML, of which JSON is a part: texts are written as JSON.
"""

import json
import re

from yoto_tf.errors import printable
from yoto_tf.export.hub_page import licence_of
from yoto_tf.zoo.card import END
from yoto_tf.zoo.families import family_named


def card(release, name):
    """Renders the file.

    Args:
        release: a `yoto_tf.zoo.release.Release`.
        name: of the model.

    Returns:
        Text: metadata, the release's own card, and how the model is loaded.
    """
    family = family_named(release.family)
    lines = [
        "library_name: yoto_tf",
        f"license: {licence_of(release.id.hex()) or 'unknown'}",
        "tags:",
        *(f"- {tag}" for tag in ("keras", "loss-conditional-training", family.name)),
    ]
    if family.pipeline_tag:
        lines.append(f"pipeline_tag: {family.pipeline_tag}")
    lines += [
        # Of a Space with the same files.
        f"title: {_text(name)}",
        "sdk: gradio",
        "app_file: app.py",
        *_results(release, name, family),
    ]
    own = release.card.strip() or f"# {printable(name)}"
    metadata = "\n".join(["---", *lines, "---"])
    return f"{metadata}\n\n{own}\n\n{END}\n\n{_use(release, family)}"


def _results(release, name, family):
    """The figures, in the form of `model-index`."""
    if not release.measured:
        return []
    lines = ["model-index:", f"- name: {_text(name)}", "  results:"]
    for figure in release.measured:
        metric = f"{figure.metric}, {figure.unit}" if figure.unit else figure.metric
        lines += [
            f"  - task: {{type: {family.pipeline_tag or 'other'}}}",
            f"    dataset: {{name: {_text(figure.data)}, type: {_slug(figure.data)}}}",
            "    metrics:",
            f"    - {{name: {_text(metric)}, type: {_slug(figure.metric)}, "
            f"value: {figure.value!r}}}",
        ]
    return lines


def _text(text):
    return json.dumps(printable(text), ensure_ascii=False)


def _slug(text):
    return _text(re.sub("[^a-z0-9]+", "-", text.lower()).strip("-") or "other")


def _use(release, family):
    lines = [
        "## How to use it",
        "",
        "```python",
        "import yoto_tf as yoto",
        "",
        f'{family.noun} = yoto.zoo.load("hf://OWNER/NAME@REVISION")',
        "```",
        "",
        "where a revision is a commit; without one the newest is taken and printed. "
        "The weights of the losses are dials, chosen with every call:",
        "",
        "| coefficient | from | to |",
        "|---|---|---|",
    ]
    for coefficient, (low, high) in release.ranges.items():
        named = printable(coefficient).replace("|", "\\|")
        lines.append(f"| {named} | {low:g} | {high:g} |")
    lines += [
        "",
        "Trained once on many weightings of its losses (Dosovitskiy and Djolonga, *You "
        "Only Train Once*, ICLR 2020). `app.py` and `requirements.txt` make a Space of "
        "the same files.",
    ]
    return "\n".join(lines) + "\n"
