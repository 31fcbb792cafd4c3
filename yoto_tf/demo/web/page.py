"""The page: a tab for each family that has a pretrained model."""

import gradio as gr

from yoto_tf.demo.web.controls import AT_A_TIME, refuse_foreign_files
from yoto_tf.zoo.families import all_families

# Requests that wait; the next user is told that the page is busy.
WAITING = 32
# Pictures, uploaded or computed, are deleted when unused for so many seconds.
KEPT = 600
_TITLE = "One network, a dial for its trade-off"
_ABOUT = """
# One network, a dial for its trade-off

Loss-conditional training (Dosovitskiy & Djolonga, *You Only Train Once*, 2020): the
weights of the losses are drawn anew for every training example and given to the
network, so that you choose them afterwards.
"""
THEME = gr.themes.Default(
    primary_hue="teal",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
)
CSS = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; }
.note { color: var(--body-text-color-subdued); font-size: var(--text-sm); }
.numbers table { width: 100%; font-variant-numeric: tabular-nums; }
.numbers :is(table, thead, tbody, tr, th, td) { border: 0 !important; }
.numbers tr { border-bottom: 1px solid var(--border-color-primary) !important; }
.numbers :is(th, td) { padding: 8px !important; word-break: normal; }
.numbers :is(th, td):not(:first-child) { text-align: right; }
.styles .grid-container {
  grid-template-columns: repeat(3, minmax(0, 1fr)) !important; height: 100%;
}
.styles .caption-label {
  inset: auto 0 0 0; max-width: 100%; padding: 0 4px; border-radius: 0;
  font-size: 11px; line-height: 18px; text-align: center;
}
.command :is(pre, code) { white-space: pre-wrap !important; word-break: break-word; }
footer .divider { display: none !important; }
"""


def build(models, example=None, say_what_is_missing=True):
    """Builds the page.

    Args:
        models: {name: object of the zoo}, such as {"codec": zoo.load("codec")}.
        example: uint8 [H, W, 3], the picture that is there at first; None for one that
            suits each family.
        say_what_is_missing: whether families without a model are named.

    Returns:
        A `gradio.Blocks`, to be launched with `THEME` and `CSS`. What runs at a time
        and what waits is limited for all its users together.
    """
    with gr.Blocks(
        title=_TITLE, analytics_enabled=False, delete_cache=(KEPT // 4, KEPT)
    ) as page:
        gr.Markdown(_ABOUT)
        with gr.Tabs():
            for family in _shown():
                members = _members(models, family)
                if members:
                    with gr.Tab(family.demo_title):
                        _fill(family, members, example)
        for line in left_out(models) if say_what_is_missing else ():
            gr.Markdown(line, elem_classes="note")
    refuse_foreign_files(page)
    return page.queue(max_size=WAITING, default_concurrency_limit=AT_A_TIME)


def left_out(models):
    """A sentence for every family without a model."""
    return [
        f"The tab {family.demo_title} is left out: no pretrained {family.noun} is "
        "installed (`yoto list` shows what is)."
        for family in _shown()
        if not _members(models, family)
    ]


def _shown():
    return [family for family in all_families().values() if family.demo_tab]


def _members(models, family):
    found = [
        (name, model)
        for name, model in models.items()
        if model.release.family == family.name
    ]
    return dict(sorted(found, key=lambda member: member[0] != family.demo_first))


def _fill(family, members, example):
    """One model, or a tab within the tab for each of several."""
    add = family.resolve("demo_tab")
    if example is None:
        example = family.resolve("demo_picture")()
    if len(members) == 1:
        [(name, model)] = members.items()
        add(name, model, example)
        return
    with gr.Tabs():
        for name, model in members.items():
            with gr.Tab(name):
                add(name, model, example)
