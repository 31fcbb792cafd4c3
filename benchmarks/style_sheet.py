"""All styles over several photographs, beside their paintings: `docs/styles.webp`.

    python benchmarks/style_sheet.py --styles PAINTINGS --photographs FILE FILE

`PAINTINGS` is the folder of paintings that the released stylizer was trained on. The
photographs stand beside the two that come with the package. In the repository's sheet
they are "Lake Sherburne" and "Casa Milà" of the wallpapers of the Budgie desktop
(github.com/BuddiesOfBudgie/budgie-backgrounds), which are CC0. All dials are in the
middle.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image, ImageDraw
from readme_pictures import INK, filling

from yoto_tf import zoo
from yoto_tf.data import colosseum, photograph, read_image
from yoto_tf.imaging.fonts import font
from yoto_tf.zoo.stylization.paintings import painting_files

PICTURE = Path(__file__).parents[1] / "docs" / "styles.webp"
SIZE = (240, 180)
GAP, TEXT = 6, 15
# Pixels of the longer side that are stylised: strokes have their size in pixels.
LONGEST = 480


def smaller(pixels):
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    return np.asarray(image)


def sheet(stylizer, paintings, photographs):
    """A column for the paintings and one for each photograph, a row for each style."""
    width, height = (side + GAP for side in SIZE)
    top = height + TEXT + GAP
    size = (
        GAP + (1 + len(photographs)) * width,
        GAP + top + len(stylizer.styles) * (height + TEXT + GAP),
    )
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)

    def put(pixels, column, y):
        image.paste(filling(pixels, SIZE), (GAP + column * width, y))

    for column, picture in enumerate(photographs, 1):
        put(picture, column, GAP)
    heads = {"the painting": 0, "with all dials in the middle": 1}
    for text, column in heads.items():
        place = (GAP + column * width, height + GAP // 2)
        draw.text(place, text, INK, font(TEXT))
    for row, style in enumerate(stylizer.styles):
        y = GAP + top + row * (height + TEXT + GAP)
        put(read_image(paintings[style]), 0, y)
        draw.text((GAP, y + height - GAP // 2), style, INK, font(TEXT))
        for column, picture in enumerate(photographs, 1):
            put(stylizer.stylize(smaller(picture), style), column, y)
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--styles", required=True, help="a folder of paintings")
    parser.add_argument("--photographs", nargs="*", default=[], help="two more")
    options = parser.parse_args()
    photographs = [colosseum(), photograph(), *map(read_image, options.photographs)]
    paintings = painting_files(options.styles)
    image = sheet(zoo.load("stylization"), paintings, photographs)
    image.save(PICTURE, quality=58, method=6)
    print(f"{PICTURE.name}: {image.size}, {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
