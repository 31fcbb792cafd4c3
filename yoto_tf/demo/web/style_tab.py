"""The stylizer's tab: a mixer of styles and five dials."""

import gradio as gr
import numpy as np

from yoto_tf.demo.web.controls import (
    NO_PICTURE,
    answers,
    on_change,
    on_click,
    picture_input,
)
from yoto_tf.demo.web.reader import READER

_ABOUT = """
Painting a photograph anew means weighing the photograph (**content**) against the
painting, and in the painting its palette and grain (**style 1**) against ever longer
strokes (**style 2** to **style 4**). Usually these weights are fixed before training.
This network was trained on all of them at once and has them as inputs: mix the
paintings and move the dials, nothing is trained for it.
"""
_LABELS = {
    "content": "content: the photograph",
    "style_1": "style 1: palette and grain",
    "style_2": "style 2: small strokes",
    "style_3": "style 3: strokes",
    "style_4": "style 4: long strokes",
}
# The stylizer's network costs more than the codec's.
PIXELS = 2**19


def stylize(stylizer, image, shares, positions):
    """Stylises a picture at positions of the dials.

    Args:
        stylizer: a `Stylizer`.
        image: uint8 [H, W, 3].
        shares: a weight ≥ 0 for each of the stylizer's styles, not all zero.
        positions: for each coefficient a number from 0 to 1, its place in its range.

    Returns:
        uint8 [H, W, 3] and the `Setting`.

    Raises:
        DataError, StyleError, CoefficientError: see `Stylizer.stylize`.
    """
    style = {
        name: share
        for name, share in zip(stylizer.styles, shares, strict=True)
        if share
    }
    dials = stylizer.coefficients.independent.items()
    values = {
        name: float(distribution.quantile(position))
        for (name, distribution), position in zip(dials, positions, strict=True)
    }
    setting = stylizer.setting(style, **values)
    return stylizer.stylize(image, style, **values), setting


def random_positions(stylizer):
    """Weights and positions for `stylize` as they were drawn in training: one style.

    Returns:
        A list of as many numbers as there are styles, and one of as many as there are
        coefficients, all in [0, 1].
    """
    random = np.random.default_rng()
    chosen = random.integers(len(stylizer.styles))
    shares = [float(index == chosen) for index in range(len(stylizer.styles))]
    return shares, [round(random.random(), 2) for _ in stylizer.coefficients.names]


def command(setting):
    """The `yoto stylize` command that does the same, as Markdown."""
    style = ",".join(f"{name}={share:.3g}" for name, share in setting.style.items())
    values = setting.coefficients.items()
    coefficients = ",".join(f"{name}={value:.3g}" for name, value in values)
    return (
        f"```\nyoto stylize photo.jpg out.png --style {style} \\\n"
        f"    --coefficients {coefficients}\n```"
    )


def add(name, stylizer, example):
    """Adds the tab's content to the page that is being built.

    Args:
        name: of the pretrained model.
        stylizer: a `Stylizer`.
        example: uint8 [H, W, 3], the picture that is there at first.
    """
    count = len(stylizer.styles)
    shares = [1.0] + [0.0] * (count - 1)
    positions = [0.5] * len(stylizer.coefficients)

    def show(path, *numbers):
        if path is None:
            return None, "", NO_PICTURE
        image, note = READER.read(path, PIXELS)
        return *_stylized(image, numbers), note

    def draw(path):
        shares, positions = random_positions(stylizer)
        numbers = [*shares, *positions]
        return *numbers, *show(path, *numbers)

    def _stylized(image, numbers):
        picture, setting = stylize(stylizer, image, numbers[:count], numbers[count:])
        return picture, command(setting)

    stylized, text = _stylized(example, [*shares, *positions])
    gr.Markdown(_ABOUT)
    with gr.Row():
        with gr.Column(scale=2, min_width=260):
            picture = picture_input(example, ["upload", "webcam", "clipboard"])
            note = gr.Markdown(elem_classes="note")
            gr.Markdown("#### Styles, mixed by their shares")
            mixer = [
                _slider(name.replace("_", " "), share, "share")
                for name, share in zip(stylizer.styles, shares, strict=True)
            ]
        with gr.Column(scale=4, min_width=320):
            output = gr.Image(
                stylized,
                label="Stylised",
                format="png",
                height=520,
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_classes="stylized",
            )
            gr.Markdown("The same from the command line:")
            text = gr.Markdown(text, elem_classes="command")
        with gr.Column(scale=2, min_width=260):
            surprise = gr.Button("Random style and dials", variant="primary")
            gr.Markdown("#### Dials, over the trained range")
            dials = [
                _slider(_LABELS.get(name, name), position, "dial")
                for name, position in zip(
                    stylizer.coefficients.names, positions, strict=True
                )
            ]
    sliders = [*mixer, *dials]
    outputs = [output, text, note]
    on_change([picture, *sliders], answers(show), [picture, *sliders], outputs, name)
    on_click(surprise, answers(draw), [picture], [*sliders, *outputs], f"{name}_random")


def _slider(label, value, name):
    return gr.Slider(0, 1, value, step=0.01, label=label, elem_classes=name)
