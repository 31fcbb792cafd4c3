"""The stylizer's tab: styles to click and five dials."""

import gradio as gr
import numpy as np

from yoto_tf.demo.web.controls import (
    NO_PICTURE,
    answers,
    on_change,
    on_click,
    on_select,
    picture_input,
)
from yoto_tf.demo.web.pictures import scaled_down
from yoto_tf.demo.web.reader import READER
from yoto_tf.zoo.stylization.styles import StyleError

_ABOUT = """
How much of the photograph, how much of the painting? Usually these weights are fixed
before training. This network has them as inputs: choose a painting, or **two, which are
mixed**, and move the dials. Nothing is trained for it.
"""
_LABELS = {
    "content": "Photograph",
    "style_1": "Palette, grain",
    "style_2": "Small strokes",
    "style_3": "Strokes",
    "style_4": "Long strokes",
}
NONE = -1
_FIRST = "great_wave"
_THUMBNAIL = 2**14
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


def chosen(styles, clicked):
    """What is mixed after a click on a painting.

    Args:
        styles: places of the two styles before it; the second may be `NONE`.
        clicked: place of the style that was clicked.

    Returns:
        Two places as `styles`: the last two that were clicked; or, after a click on one
        of those, that one alone.
    """
    first, second = styles
    if clicked in styles:
        return clicked, NONE
    return (first, clicked) if second == NONE else (second, clicked)


def shares(stylizer, styles, share):
    """Weights for `stylize`.

    Args:
        stylizer: a `Stylizer`.
        styles: see `chosen`.
        share: of the second style, in [0, 1].

    Returns:
        A list of as many numbers as there are styles.

    Raises:
        StyleError: there is no style in such a place.
    """
    first, second = styles
    count = len(stylizer.styles)
    if first not in range(count) or second not in range(NONE, count):
        raise StyleError(
            f"styles {first} and {second}: expected places from 0 to {count - 1}, the "
            f"second or {NONE}"
        )
    weights = [0.0] * count
    weights[first] = 1.0 if second == NONE else 1.0 - share
    if second != NONE:
        weights[second] = share
    return weights


def random_positions(stylizer):
    """A style and positions as they were drawn in training.

    Returns:
        The place of a style, and a list of as many numbers in [0, 1] as there are
        coefficients.
    """
    random = np.random.default_rng()
    style = int(random.integers(len(stylizer.styles)))
    return style, [round(random.random(), 2) for _ in stylizer.coefficients.names]


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
    titles = [style.replace("_", " ") for style in stylizer.styles]
    positions = [0.5] * len(stylizer.coefficients)
    first = stylizer.styles.index(_FIRST) if _FIRST in stylizer.styles else 0

    def show(path, first, second, share, *positions):
        if path is None:
            return None, "", NO_PICTURE
        image, note = READER.read(path, PIXELS)
        weights = shares(stylizer, (first, second), share)
        picture, setting = stylize(stylizer, image, weights, positions)
        return picture, command(setting), note

    def choose(event: gr.SelectData, path, first, second, share, *positions):
        styles = chosen((first, second), event.index)
        return *_mixture(*styles), *show(path, *styles, share, *positions)

    def draw(path, share):
        style, positions = random_positions(stylizer)
        result = show(path, style, NONE, share, *positions)
        return *_mixture(style, NONE), *positions, *result

    def _mixture(first, second):
        """Both styles, what is said of them, and the slider between them."""
        text = f"**{titles[first]}**"
        if second != NONE:
            text += f" and **{titles[second]}**"
        slider = gr.update(visible=second != NONE, label=f"Share of {titles[second]}")
        return first, second, text, slider

    alone = shares(stylizer, (first, NONE), 0.5)
    stylized, setting = stylize(stylizer, example, alone, positions)
    gr.Markdown(_ABOUT)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            mixture = gr.Markdown(f"**{titles[first]}**", elem_classes="mixture")
            gallery = gr.Gallery(
                _thumbnails(stylizer, example),
                label="Styles",
                show_label=False,
                format="png",
                columns=3,
                height=470,
                object_fit="cover",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_classes="styles",
            )
            share = gr.Slider(
                0, 1, 0.5, step=0.01, label="Share", visible=False, elem_classes="share"
            )
        with gr.Column(scale=5, min_width=320):
            output = gr.Image(
                stylized,
                label="Stylised",
                format="png",
                height=440,
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_classes="stylized",
            )
        with gr.Column(scale=2, min_width=220):
            dials = [
                _dial(_LABELS.get(dial, dial), position)
                for dial, position in zip(
                    stylizer.coefficients.names, positions, strict=True
                )
            ]
            surprise = gr.Button("Surprise me", variant="primary")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            picture = picture_input(example, ["upload", "webcam", "clipboard"])
            note = gr.Markdown(elem_classes="note")
        with gr.Column(scale=5, min_width=320):
            gr.Markdown("The same from the command line:")
            text = gr.Markdown(command(setting), elem_classes="command")
    # Kept in the page, so that each user has styles of their own.
    styles = [_hidden(first), _hidden(NONE)]
    inputs, outputs = [picture, *styles, share, *dials], [output, text, note]
    mixed = [*styles, mixture, share]
    on_change([picture, share, *dials], answers(show), inputs, outputs, name)
    on_select(gallery, answers(choose), inputs, [*mixed, *outputs], f"{name}_style")
    drawn = [*mixed, *dials, *outputs]
    on_click(surprise, answers(draw), [picture, share], drawn, f"{name}_random")


def _thumbnails(stylizer, image):
    """What each style makes of a small copy of the picture, with its name."""
    image, _ = scaled_down(image, _THUMBNAIL)
    return [
        (stylizer.stylize(image, style), style.replace("_", " "))
        for style in stylizer.styles
    ]


def _hidden(value):
    return gr.Number(value, visible=False, precision=0)


def _dial(label, value):
    return gr.Slider(0, 1, value, step=0.01, label=label, elem_classes="dial")
