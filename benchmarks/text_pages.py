"""Pictures of pages of text, the same for everybody who has the same Python."""

import sysconfig
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

SIZE = 768, 512
FAMILIES = "DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono"
# What a page is printed on, and what with.
PAPERS = ("white", "black"), ("#fdf6e3", "#40505a"), ("#1e1e1e", "#d4d4d4")


def text_pages(folder, count):
    """Writes pages of the source text of Python's own library as PNG files.

    Every page has another module, in one of three fonts, four sizes from 11 to 20
    pixels, and three pairs of colours.

    Args:
        folder: `Path` of a folder that is there.
        count: how many.
    """
    library = Path(sysconfig.get_path("stdlib"))
    modules = [
        path for path in sorted(library.glob("[a-z]*.py")) if len(_lines(path)) > 50
    ]
    chosen = np.linspace(0, len(modules) - 1, count).astype(int)
    for number, module in enumerate(modules[index] for index in chosen):
        size = (11, 13, 16, 20)[number % 4]
        file = font_manager.findfont(FAMILIES[number % 3])
        font = ImageFont.truetype(file, size)
        paper, ink = PAPERS[number // 4 % 3]
        page = Image.new("RGB", SIZE, paper)
        text = "\n".join(_lines(module)[: SIZE[1] // size])
        ImageDraw.Draw(page).text((size, size), text, ink, font, spacing=size // 3)
        page.save(folder / f"{number:03}-{module.stem}.png")


def _lines(path):
    return path.read_text(encoding="utf-8", errors="replace").splitlines()
