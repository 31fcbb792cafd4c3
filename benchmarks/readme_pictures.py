"""Draws the pictures at the head of the README from the released models.

    python benchmarks/readme_pictures.py --styles PAINTINGS

writes `readme-*.webp` into `docs/`: for each family one picture of a few settings, and
for the codec and the stylizer an animation in which the dial is turned. `PAINTINGS` is
the folder of paintings that the stylizer was trained on; two of them are shown.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image, ImageDraw

from yoto_tf import zoo
from yoto_tf.data import colosseum, photograph, read_image
from yoto_tf.imaging.fonts import font
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.stylization.paintings import painting_files

DOCS = Path(__file__).parents[1] / "docs"
GAP = 12
TEXT = 26
LINE = 34
INK = "#222222"
# The parts of the photographs that the codec's settings are compared in.
ARCHES = np.s_[110:350, 110:350]
FACE = np.s_[75:300, 115:415]
STYLES = ("starry_night", "great_wave")
# Of a dial from 0.01 to 10: below 0.05 nothing of the photograph is left.
CONTENTS = (3.0, 0.5, 0.1)
TURNED_CONTENTS = (10.0, 0.05)
BETAS = (0.125, 2.0, 6.0, 16.0)
DIGITS = 12
# Of an animation, there and back again.
TURNS = 12
FRAME = (560, 420)
MILLISECONDS = 130


def resized(pixels, size):
    return Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)


def filling(pixels, size):
    """The largest part in the middle that has the shape of `size`, at that size."""
    image = Image.fromarray(pixels)
    scale = min(image.width / size[0], image.height / size[1])
    width, height = (scale * side for side in size)
    left, top = (image.width - width) / 2, (image.height - height) / 2
    box = (left, top, left + width, top + height)
    return image.resize(size, Image.Resampling.LANCZOS, box=box)


def sheet(rows):
    """Rows of (picture, lines of text below it), all pictures of one size."""
    width, height = rows[0][0][0].size
    lines = max(len(texts) for row in rows for _, texts in row)
    below = lines * LINE + GAP
    size = (
        len(rows[0]) * (width + GAP) + GAP,
        len(rows) * (height + below + GAP) + GAP,
    )
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        for x, (picture, texts) in enumerate(row):
            left = GAP + x * (width + GAP)
            top = GAP + y * (height + below + GAP)
            image.paste(picture, (left, top))
            for number, text in enumerate(texts):
                place = (left + width / 2, top + height + GAP / 2 + number * LINE)
                draw.text(place, text, INK, font(TEXT), anchor="ma")
    return image


def with_dial(picture, share, left, right):
    """A picture above a slider that stands at `share`, 0 to 1, with two texts."""
    width, height = picture.size
    image = Image.new("RGB", (width, height + 76), "white")
    image.paste(picture)
    draw = ImageDraw.Draw(image)
    y, begin, end = height + 22, 18, width - 18
    knob = begin + share * (end - begin)
    draw.line((begin, y, end, y), "#cccccc", 8)
    draw.line((begin, y, knob, y), "#673ab7", 8)
    draw.ellipse((knob - 13, y - 13, knob + 13, y + 13), "#673ab7")
    draw.text((begin - 8, height + 42), left, INK, font(22))
    draw.text((end + 8, height + 42), right, INK, font(22), anchor="ra")
    return image


def save(image, name, **options):
    path = DOCS / f"readme-{name}.webp"
    image.save(path, method=6, **options)
    print(f"{path.name}: {image.width}×{image.height}, {path.stat().st_size:,} bytes")


def save_animation(frames, name, quality):
    again = [*frames, *frames[-2:0:-1]]
    durations = [MILLISECONDS] * len(again)
    durations[0] = durations[len(frames) - 1] = 6 * MILLISECONDS
    save(
        again[0],
        name,
        save_all=True,
        append_images=again[1:],
        duration=durations,
        loop=0,
        quality=quality,
    )


def coded(codec, image, quality):
    """What a file holds, its bits per pixel and its PSNR in dB."""
    data = codec.compress(image, quality=quality)
    decoded = codec.decompress(data)
    return decoded, 8 * len(data) / image[..., 0].size, psnr(image, decoded)


def draw_codec(codec):
    image = colosseum()
    shown = [(resized(image[ARCHES], (480, 480)), ["original", "24 bits per pixel"])]
    for quality in (0.0, 0.4, 0.9):
        decoded, rate, decibels = coded(codec, image, quality)
        text = [f"quality {quality:g}", f"{rate:.2f} bits per pixel, {decibels:.1f} dB"]
        shown.append((resized(decoded[ARCHES], (480, 480)), text))
    save(sheet([shown]), "codec", quality=82)


def turn_codec(codec):
    image, frames = photograph(), []
    for quality in np.linspace(0, 1, TURNS):
        decoded, rate, decibels = coded(codec, image, float(quality))
        frames.append(
            with_dial(
                resized(decoded[FACE], FRAME),
                quality,
                f"quality {quality:.2f}",
                f"{rate:.2f} bits per pixel, {decibels:.1f} dB",
            )
        )
    save_animation(frames, "codec-dial", 70)


def draw_stylizer(stylizer, paintings):
    image, size, rows = colosseum(), (480, 360), []
    for style in STYLES:
        row = [(filling(read_image(paintings[style]), size), [f"style {style}"])]
        for content in CONTENTS:
            painted = stylizer.stylize(image, style, content=content)
            row.append((filling(painted, size), [f"content = {content:g}"]))
        rows.append(row)
    save(sheet(rows), "stylizer", quality=64)


def turn_stylizer(stylizer):
    image, frames = colosseum(), []
    contents = np.geomspace(*TURNED_CONTENTS, TURNS)
    for share, content in zip(np.linspace(0, 1, TURNS), contents, strict=True):
        painted = stylizer.stylize(image, "starry_night", content=float(content))
        frames.append(
            with_dial(
                filling(painted, FRAME),
                share,
                "starry_night",
                f"content = {content:.2g}",
            )
        )
    save_animation(frames, "stylizer-dial", 55)


def draw_vae(vae):
    side, label = 124, 170
    size = (label + DIGITS * (side + 4), len(BETAS) * (side + 4))
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    for y, beta in enumerate(BETAS):
        top = y * (side + 4)
        place = (label - 18, top + side / 2)
        draw.text(place, f"β = {beta:g}", INK, font(TEXT), anchor="rm")
        for x, digit in enumerate(vae.sample(DIGITS, seed=0, kl=beta)):
            shown = resized(digit[..., 0], (side, side)).convert("RGB")
            image.paste(shown, (label + x * (side + 4), top))
    save(image, "vae", quality=85)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--styles", required=True)
    paintings = painting_files(parser.parse_args().styles)
    draw_vae(zoo.load("vae-mnist"))
    stylizer = zoo.load("stylization")
    draw_stylizer(stylizer, paintings)
    turn_stylizer(stylizer)
    codec = zoo.load("codec")
    draw_codec(codec)
    turn_codec(codec)


if __name__ == "__main__":
    main()
