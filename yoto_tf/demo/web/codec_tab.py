"""The codec's tab: quality against bytes, and JPEG beside it."""

import dataclasses

import gradio as gr
import numpy as np
from PIL import Image

from yoto_tf.demo.web.controls import NO_PICTURE, answers, on_change, picture_input
from yoto_tf.demo.web.jpeg import decode, jpeg_of_size
from yoto_tf.demo.web.reader import READER
from yoto_tf.imaging.metrics import bits_per_pixel, psnr

QUALITY = 0.1

_ABOUT = """
A compressed picture is a compromise between **few bytes** and **few errors**. Usually a
network is trained for one compromise, and then again for the next. This one was trained
on all of them at once, with the weight of the errors, λ, as an additional input. The
slider below is that input: nothing is loaded or trained when you move it.
"""


@dataclasses.dataclass(frozen=True, eq=False)
class Coded:
    """A picture after a codec.

    Attributes:
        image: uint8 [H, W, 3], decoded.
        num_bytes: of the compressed file.
        psnr: in dB, against the original.
    """

    image: np.ndarray
    num_bytes: int
    psnr: float


def compare(codec, image, quality):
    """Codes a picture with the network, and as JPEG in no more bytes.

    Args:
        codec: a `Codec`.
        image: uint8 [H, W, 3].
        quality: in [0, 1].

    Returns:
        Two `Coded`, the network's and JPEG's. JPEG's file is larger only where its
        lowest quality is.

    Raises:
        DataError, CoefficientError: see `Codec.compress`.
    """
    data = codec.compress(image, quality=quality)
    decoded = codec.decompress(data)
    jpeg = jpeg_of_size(image, len(data))
    from_jpeg = decode(jpeg)
    return (
        Coded(decoded, len(data), psnr(image, decoded)),
        Coded(from_jpeg, len(jpeg), psnr(image, from_jpeg)),
    )


def table(codec, ours, jpeg, quality):
    """Sizes and errors as a Markdown table.

    Args:
        codec: a `Codec`.
        ours, jpeg: the two `Coded` of `compare`.
        quality: the one they were made with.
    """
    [value] = codec.vector(quality)
    smallest = ", its smallest" if jpeg.num_bytes > ours.num_bytes else ""
    height, width = ours.image.shape[:2]
    rows = [
        _row(f"**This network**, λ = {value:.4f}", ours),
        _row(f"**JPEG**{smallest}", jpeg),
        f"| {width} × {height} pixels as they are | {3 * width * height:,} | 24 | |",
    ]
    head = ["| | bytes | bits per pixel | PSNR |", "| --- | ---: | ---: | ---: |"]
    return "\n".join(head + rows)


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
    rate = bits_per_pixel(coded.num_bytes, *coded.image.shape[:2])
    return f"| {title} | {coded.num_bytes:,} | {rate:.3f} | {coded.psnr:.2f} dB |"


def add(name, codec, example):
    """Adds the tab's content to the page that is being built.

    Args:
        name: of the pretrained model.
        codec: a `Codec`.
        example: uint8 [H, W, 3]; made a little smaller, it is there at first.
    """
    example = without_traces_of_jpeg(example)

    def show(path, quality):
        if path is None:
            return None, None, "", NO_PICTURE
        image, note = READER.read(path)
        return *_coded(image, quality), note

    def _coded(image, quality):
        ours, jpeg = compare(codec, image, quality)
        numbers = table(codec, ours, jpeg, quality)
        return (image, ours.image), (image, jpeg.image), numbers

    ours, jpeg, numbers = _coded(example, QUALITY)
    gr.Markdown(_ABOUT)
    with gr.Row():
        with gr.Column(scale=2, min_width=240):
            picture = picture_input(example, ["upload", "clipboard"])
            note = gr.Markdown(elem_classes="note")
        with gr.Column(scale=3, min_width=320):
            quality = gr.Slider(
                0,
                1,
                QUALITY,
                step=0.01,
                label="Quality",
                info="0: smallest file … 1: best picture",
                elem_classes="quality",
            )
            numbers = gr.Markdown(numbers, elem_classes="numbers")
    gr.Markdown(
        "Drag the lines: left of each is the original, right of it what the compressed "
        "file gives. A picture that was a JPEG file before favours JPEG, which loses "
        "little more of it: take one that never was, or a large one, which is scaled "
        "down here."
    )
    with gr.Row():
        ours = _wipe(ours, "Original | this network", "ours")
        jpeg = _wipe(jpeg, "Original | JPEG in no more bytes", "jpeg")
    on_change(
        [picture, quality],
        answers(show),
        [picture, quality],
        [ours, jpeg, numbers, note],
        name,
    )


def _wipe(pictures, label, name):
    return gr.ImageSlider(
        pictures,
        label=label,
        format="png",
        max_height=640,
        min_width=300,
        interactive=False,
        buttons=["fullscreen"],
        elem_classes=f"wipe {name}",
    )
