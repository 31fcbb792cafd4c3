"""The β-VAE's tab: one slider over reconstructions and samples."""

import math

import gradio as gr
import numpy as np
from PIL import Image, ImageDraw

from yoto_tf.demo.web.controls import answers, on_change, on_click, picture_input
from yoto_tf.demo.web.reader import READER
from yoto_tf.imaging.fonts import font
from yoto_tf.imaging.grids import grid
from yoto_tf.zoo.vae.pictures import fitted
from yoto_tf.zoo.vae.shapes import factors, rendered

FIGURES = "vae-shapes"
# Pictures in a row, and rows of samples.
COLUMNS = 10
ROWS = 4
# Values of β that are shown together.
VALUES = 5
# About the width of the grids in pixels.
_WIDTH = 720
_ABOUT = """
This network squeezes a picture into a few numbers and draws it anew from them. Its two
wishes contradict each other: to **reconstruct** well it would keep everything, to
**sample** new pictures well it should keep little. β weighs them. Usually it is fixed
before training; this network was trained on the whole range and has β as an input.
"""


def pictures(vae, example, image=None):
    """A row of pictures of the size that the network takes.

    Args:
        vae: a `VAE`.
        example: uint8 [COLUMNS, H, W, 3], the row; or uint8 [H, W, 3], parts of which
            make the row for a network of colour pictures, while a network of grey ones
            gets printed digits.
        image: uint8 [H, W, 3] to put in the first place, or None.

    Returns:
        uint8 [COLUMNS, h, w, C].
    """
    shape = vae.model.image_shape
    if example.ndim == 4:
        row = list(example)
    elif shape[2] == 1:
        row = [_digit(number % 10) for number in range(COLUMNS)]
    else:
        row = _parts(example)
    if image is not None:
        row[0] = image
    return np.stack([fitted(picture, shape) for picture in row])


def reconstructions(vae, images, log_kl):
    """Pictures and below each what the network makes of it, as one picture.

    Args:
        vae: a `VAE`.
        images: uint8 [N, h, w, C].
        log_kl: log₂ β.

    Returns:
        uint8 [H, W, 3].

    Raises:
        CoefficientError: β out of range.
    """
    again = vae.reconstruct(images, kl=2.0**log_kl)
    return _enlarged([images, again])


def over_the_range(vae, images):
    """Pictures, and below them what the network makes of them at values of β.

    Args:
        vae: a `VAE`.
        images: uint8 [N, h, w, C].

    Returns:
        uint8 [H, W, 3]; each row is labelled.
    """
    [distribution] = vae.coefficients.independent.values()
    rows, labels = [images], ["original"]
    for place in np.linspace(0, 1, VALUES):
        value = float(distribution.quantile(place))
        rows.append(vae.reconstruct(images, kl=value))
        labels.append(f"β = {value:.3g}")
    return _enlarged(rows, labels)


def samples(vae, log_kl, seed):
    """New pictures as one; the same seed draws the same latents for every β.

    Args:
        vae: a `VAE`.
        log_kl: log₂ β.
        seed: integer ≥ 0.

    Returns:
        uint8 [H, W, 3].

    Raises:
        CoefficientError: β out of range.
    """
    drawn = vae.sample(COLUMNS * ROWS, seed=int(seed), kl=2.0**log_kl)
    return _enlarged(drawn.reshape(ROWS, COLUMNS, *drawn.shape[1:]))


def add(name, vae, example):
    """Adds the tab's content to the page that is being built.

    Args:
        name: of the pretrained model.
        vae: a `VAE`.
        example: uint8 [H, W, 3], see `pictures`; the network of rendered figures gets
            such figures.
    """
    if name == FIGURES:
        example = rendered(factors("shapes:test")[:COLUMNS])
    [(low, high)] = vae.coefficients.ranges().values()
    low, high = math.log2(low), math.log2(high)
    middle = round((low + high) / 2, 2)

    def show(path, log_kl, seed):
        image = None if path is None else READER.read(path)[0]
        images = pictures(vae, example, image)
        return (
            reconstructions(vae, images, log_kl),
            samples(vae, log_kl, seed),
            over_the_range(vae, images),
            _caption(log_kl),
        )

    def again(path, log_kl):
        seed = int(np.random.default_rng().integers(2**31))
        return seed, *show(path, log_kl, seed)

    row, drawn, rows, text = show(None, middle, 0)
    gr.Markdown(_ABOUT)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            dial = gr.Slider(
                low,
                high,
                middle,
                step=0.01,
                label="log₂ β",
                info="left: faithful reconstructions … right: simple pictures",
                elem_classes="beta",
            )
            caption = gr.Markdown(text)
            more = gr.Button("Other samples")
            picture = picture_input(
                None,
                ["upload", "webcam", "clipboard"],
                "A picture of yours, for the first place in the row",
            )
            size = " × ".join(map(str, vae.model.image_shape[1::-1]))
            gr.Markdown(f"It is cropped and made {size} pixels small.")
        with gr.Column(scale=2, min_width=320):
            gr.Markdown("#### Pictures, and below each its reconstruction")
            reconstructed = _output(row, "reconstructions")
            gr.Markdown("#### Samples: new pictures, drawn from noise")
            sampled = _output(drawn, "samples")
            gr.Markdown("#### The same pictures over the whole range of β")
            ranged = _output(rows, "range")
    # Kept in the page, so that each user has a seed of their own.
    seed = gr.Number(0, visible=False, precision=0, minimum=0)
    inputs, outputs = [picture, dial, seed], [reconstructed, sampled, ranged, caption]
    on_change([picture, dial], answers(show), inputs, outputs, name)
    on_click(more, answers(again), inputs[:2], [seed, *outputs], f"{name}_again")


def _caption(log_kl):
    return f"**β = {2**log_kl:.3g}**"


def _output(value, name):
    return gr.Image(
        value,
        label=name,
        show_label=False,
        format="png",
        interactive=False,
        buttons=[],
        elem_classes=name,
    )


def _enlarged(rows, labels=None):
    rows = np.asarray(rows)
    enlarged = max(1, _WIDTH // (rows.shape[1] * rows.shape[3]))
    return grid(rows, labels, enlarged=enlarged)


def _parts(image):
    """Squares of a picture, some of the whole, some of details."""
    height, width = image.shape[:2]
    parts = []
    for number in range(COLUMNS):
        side = min(height, width) // (1 + number % 3)
        # Steps of the golden ratio spread the squares over the picture.
        top = int((height - side) * (0.618 * number % 1))
        left = int((width - side) * (0.382 * number % 1))
        parts.append(image[top : top + side, left : left + side])
    return parts


def _digit(number):
    """A printed digit, white on black: uint8 [112, 112, 3]."""
    picture = Image.new("RGB", (112, 112))
    ImageDraw.Draw(picture).text((56, 56), str(number), "white", font(88), anchor="mm")
    return np.asarray(picture)
