"""The codec's tab: quality against bytes, and JPEG, WebP and AVIF beside it."""

import dataclasses

import gradio as gr
import numpy as np
from PIL import Image

from yoto_tf.demo.web.controls import NO_PICTURE, answers, on_change, picture_input
from yoto_tf.demo.web.formats import FORMATS, decode, file_of_size
from yoto_tf.demo.web.reader import READER
from yoto_tf.imaging.metrics import bits_per_pixel, psnr

QUALITY = 0.5
_FIRST_FORMAT = "JPEG"
_HEIGHT = 400

_ABOUT = """
Few bytes or few errors? Usually a network is trained for one compromise, and another
for the next. This one has the weight of the errors, λ, as an input: **the slider is
that input**, nothing is loaded or trained when you move it. Left of each line is the
original, right of it what the file gives.
"""
_ABOUT_JPEG = """
A picture that was a JPEG file before favours JPEG, which loses little more of it: take
one that never was, or a large one, which is scaled down here. AVIF is libaom's at
speed 8.
"""


@dataclasses.dataclass(frozen=True, eq=False)
class Coded:
    """A picture after a codec.

    Attributes:
        data: bytes, the compressed file.
        image: uint8 [H, W, 3], decoded.
        psnr: in dB, against the original.
    """

    data: bytes
    image: np.ndarray
    psnr: float


def compare(codec, image, quality):
    """Codes a picture with the network, and in other formats in no more bytes.

    Args:
        codec: a `Codec`.
        image: uint8 [H, W, 3].
        quality: in [0, 1].

    Returns:
        A `Coded`, the network's, and {name: `Coded`} of the other formats. A file of
        those is larger only where their lowest quality is.

    Raises:
        DataError, CoefficientError: see `Codec.compress`.
    """
    data = codec.compress(image, quality=quality)
    others = {}
    for name in FORMATS:
        file = file_of_size(image, len(data), name)
        others[name] = _coded(image, file, decode(file))
    return _coded(image, data, codec.decompress(data)), others


def _coded(image, data, decoded):
    return Coded(data, decoded, psnr(image, decoded))


def table(codec, ours, others, quality):
    """Sizes and errors as a Markdown table.

    Args:
        codec: a `Codec`.
        ours, others: what `compare` returns.
        quality: the one they were made with.
    """
    rows = [_row("**This network**", ours)]
    for name, coded in others.items():
        smallest = ", its smallest" if len(coded.data) > len(ours.data) else ""
        rows.append(_row(f"**{name}**{smallest}", coded))
    head = ["| | bytes | bits/pixel | PSNR |", "| --- | ---: | ---: | ---: |"]
    [value] = codec.vector(quality)
    height, width = ours.image.shape[:2]
    note = (
        f"λ = {value:.4f}. These {width} × {height} pixels are "
        f"{3 * width * height:,} bytes as they are."
    )
    return "\n".join([*head, *rows, "", note])


def without_traces_of_jpeg(image):
    """A picture at 7/8 of its size, so that JPEG's 8 × 8 blocks are elsewhere.

    In the same blocks, JPEG would lose next to nothing when it codes them again.

    Args:
        image: uint8 [H, W, 3].
    """
    height, width = image.shape[:2]
    size = max(1, width * 7 // 8), max(1, height * 7 // 8)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def _row(title, coded):
    rate = bits_per_pixel(len(coded.data), *coded.image.shape[:2])
    return f"| {title} | {len(coded.data):,} | {rate:.3f} | {coded.psnr:.2f} dB |"


def add(name, codec, example):
    """Adds the tab's content to the page that is being built.

    Args:
        name: of the pretrained model.
        codec: a `Codec`.
        example: uint8 [H, W, 3]; made a little smaller, it is there at first.
    """
    example = without_traces_of_jpeg(example)
    # Another page of this process may have one of its own.
    folder = gr.utils.get_upload_folder()

    def show(path, quality, beside):
        if path is None:
            return None, None, "", None, NO_PICTURE
        image, note = READER.read(path)
        ours, others = compare(codec, image, quality)
        return (
            gr.update(**_pair(image, ours, "this network", folder)),
            gr.update(**_pair(image, others[beside], beside, folder)),
            table(codec, ours, others, quality),
            _file(ours, folder),
            note,
        )

    ours, others = compare(codec, example, QUALITY)
    gr.Markdown(_ABOUT)
    with gr.Row():
        quality = gr.Slider(
            0,
            1,
            QUALITY,
            step=0.01,
            label="Quality, from the smallest file to the best picture",
            scale=2,
            min_width=300,
            elem_classes="quality",
        )
        beside = gr.Radio(
            list(FORMATS),
            value=_FIRST_FORMAT,
            label="Beside it, in no more bytes",
            min_width=280,
            elem_classes="beside",
        )
    with gr.Row():
        pair = _pair(example, ours, "this network", folder)
        left = _wipe(pair, "ours")
        pair = _pair(example, others[_FIRST_FORMAT], _FIRST_FORMAT, folder)
        right = _wipe(pair, "other")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            numbers = gr.Markdown(
                table(codec, ours, others, QUALITY), elem_classes="numbers"
            )
            file = gr.DownloadButton(
                "Download the compressed picture (.yoto)", _file(ours, folder)
            )
        with gr.Column(scale=2, min_width=240):
            picture = picture_input(example, ["upload", "clipboard"])
            note = gr.Markdown(elem_classes="note")
            gr.Markdown(_ABOUT_JPEG, elem_classes="note")
    inputs = [picture, quality, beside]
    outputs = [left, right, numbers, file, note]
    on_change(inputs, answers(show), inputs, outputs, name)


def _pair(image, coded, name, folder):
    """Value and label of a wipe from a picture to what a file gives."""
    numbers = f"{len(coded.data):,} bytes, {coded.psnr:.1f} dB"
    # An update saves arrays in the folder of the page that was built last.
    value = tuple(
        gr.processing_utils.save_img_array_to_cache(picture, folder, format="png")
        for picture in (image, coded.image)
    )
    return {"value": value, "label": f"Original | {name}: {numbers}"}


def _file(coded, folder):
    """The path of the compressed file, in the folder that the page serves."""
    return gr.processing_utils.save_bytes_to_cache(coded.data, "picture.yoto", folder)


def _wipe(pair, name):
    return gr.ImageSlider(
        **pair,
        format="png",
        height=_HEIGHT,
        max_height=_HEIGHT,
        min_width=300,
        interactive=False,
        buttons=["fullscreen"],
        elem_classes=f"wipe {name}",
    )
