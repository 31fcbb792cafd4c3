"""The README's table of the codecs beside JPEG, WebP, JPEG XL, BPG and AVIF.

    python benchmarks/format_table.py

measures nothing: it takes the BD-rates of the curves in `results/kodak_*.json` against
those in `results/formats_kodak.json`, and BPG's, whose curve is published, from the
former; prints the table and puts it where the README has it.
"""

import json
import re
from pathlib import Path

import kodak

from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import bd_rate

README = Path(__file__).parents[1] / "README.md"
MODELS = ("codec", "codec-small")
MARK = "<!-- written by benchmarks/format_table.py -->\n\n"
_TABLE = re.compile(f"(?<={re.escape(MARK)})(\\|.*\n)+")


def rows():
    """[format, *percents]: PSNR and MS-SSIM of each model, None where there is none."""
    formats = kodak.measured_curves(kodak.FORMATS)
    found = [_read(model) for model in MODELS]
    table = [
        [
            name,
            *(
                bd_rate(
                    *kodak.curve(results["mean"], quality),
                    *formats[f"{name}, measured"][quality],
                )
                for results in found
                for quality in kodak.QUALITIES
            ),
        ]
        for name in kodak.MEASURED
    ]
    bpg = [
        published(model, quality).get("BPG 4:4:4")
        for model in MODELS
        for quality in kodak.QUALITIES
    ]
    return sorted([*table, ["BPG 4:4:4, published curve", *bpg]], key=_by_psnr)


def _by_psnr(row):
    return row[1]


def published(model, quality):
    """{curve: percent} in a model's results; none where a quality was not measured."""
    return _read(model)["bd_rate_percent"].get(quality, {})


def _read(model):
    path = kodak.RESULTS / f"kodak_{model}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def table():
    """The table in Markdown."""
    titles = [f"`{model}`, {name}" for model in MODELS for name in ("PSNR", "MS-SSIM")]
    lines = [["bits against", *titles], ["---"] + ["---:"] * len(titles)]
    lines += [[name, *map(_spelled, percents)] for name, *percents in rows()]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _spelled(percent):
    if not isinstance(percent, float):
        return "–"
    return f"{percent:+.1f} %".replace("-", "−")


def main():
    text, count = _TABLE.subn(table(), README.read_text(encoding="utf-8"))
    assert count == 1, f"{README} has no place for the table"
    write_atomically(README, text.encode())
    print(table(), end="")


if __name__ == "__main__":
    main()
