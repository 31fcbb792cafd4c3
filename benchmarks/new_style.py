"""How near does a new style come to its painting, and how long does that take?

    python benchmarks/new_style.py --styles PAINTINGS --features VGG16.npz \
        --training-data PHOTOGRAPHS --data KODAK

For six paintings that neither the stylizer nor its style encoder was trained on: the
sum of the style terms in the middle of all dials, mean over photographs, of the style
at first sight, after `--add-style` with `--steps` from there, and after `--long-steps`
from the mean of the stylizer's own styles, as it was before there was an encoder.
Beside it the seconds of the whole command. Every training is written to
`results/new_style.json` when it ends, and not repeated; `results/new_style.jpg` shows
each painting and what the three make of a photograph.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from stylization_dials import crops, inputs, measured

from yoto_tf import zoo
from yoto_tf.data import read_image, write_image
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release_folder import write_release
from yoto_tf.zoo.stylization.paintings import painting_files, read_painting

RESULTS = Path(__file__).parent / "results" / "new_style.json"
HELD_OUT = (
    "gauguin_tahiti",
    "houses_at_auvers",
    "metzinger_portrait",
    "night_cafe",
    "peasant_dress_drawing",
    "shipwreck",
)
WAYS = ("at first sight", "few steps", "many steps from the mean")
SIDE = 384


def without_encoder(release):
    """The release of a stylizer that cannot guess a style."""
    config = {**release.config["config"], "style_encoder": False}
    weights = {
        path: array
        for path, array in release.weights.items()
        if not path.startswith("style_encoder/")
    }
    return dataclasses.replace(
        release, config={**release.config, "config": config}, weights=weights
    )


def added(base, painting, steps, options, folder):
    """The stylizer that `yoto train` makes of another, and the command's seconds."""
    command = [sys.executable, "-m", "yoto_tf.cli", "train", "stylization/new_style"]
    command += ["--from", str(base), "--add-style", str(painting)]
    command += ["--data", options.training_data, "--steps", str(steps)]
    command += ["--workdir", str(folder), "--set", f"features={options.features}"]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return zoo.load(folder / "release"), time.perf_counter() - began


def style_loss(stylizer, name, terms, photographs):
    """The sum of the style terms in the middle of all dials, mean over photographs."""
    shares = np.float32([style == name for style in stylizer.styles])
    # Gram matrices of one painting, for whatever place it has among the styles.
    grams = {
        layer: np.repeat(gram, len(shares), axis=0)
        for layer, gram in terms.grams.items()
    }
    batch = inputs(photographs, shares, stylizer.coefficients.at(0.5))
    terms = dataclasses.replace(terms, grams=grams)
    found = measured(stylizer.model, terms, batch)
    styles = [values for name, values in found.items() if name.startswith("style_")]
    return float(np.sum(styles, axis=0).mean())


def three_ways(name, path, stylizer, options, folder):
    """{way: (stylizer, seconds of its training)} of a painting, one after another."""
    image = read_image(path)
    began = time.perf_counter()
    vector = stylizer.predict_style(image)
    seconds = time.perf_counter() - began
    yield WAYS[0], stylizer.with_style(name, vector), seconds
    base = Path(folder, "base")
    stylizer.save(base)
    yield WAYS[1], *added(base, path, options.steps, options, Path(folder, "few"))
    blind = Path(folder, "blind")
    write_release(blind, without_encoder(stylizer.release))
    long = options.long_steps
    yield WAYS[2], *added(blind, path, long, options, Path(folder, "many"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--styles", required=True, help="folder of paintings")
    parser.add_argument("--features", default="", help="`.npz` file of VGG-16")
    parser.add_argument("--training-data", required=True, help="photographs")
    parser.add_argument("--data", required=True, help="photographs to measure on")
    parser.add_argument("--photographs", type=int, default=8)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--long-steps", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    stylizer = zoo.load(options.model)
    photographs = crops(options.data, SIDE, options.photographs)
    described = {
        "model": stylizer.release.id.hex(),
        "steps": [options.steps, options.long_steps],
        "photographs": options.photographs,
    }
    results = {**described, "paintings": {}}
    if options.results.exists():
        stored = json.loads(options.results.read_text(encoding="utf-8"))
        if all(stored[key] == value for key, value in described.items()):
            results = stored
    paintings = painting_files(options.styles)
    shown, titles = [], []
    for name in HELD_OUT:
        path = paintings[name]
        rows = results["paintings"].setdefault(name, {})
        if len(rows) < len(WAYS):
            recipe = dataclasses.replace(
                load_recipe("stylization/new_style"), features=options.features
            )
            terms = recipe.terms([path])
            with tempfile.TemporaryDirectory() as folder:
                ways = three_ways(name, path, stylizer, options, folder)
                for way, extended, seconds in ways:
                    loss = style_loss(extended, name, terms, photographs)
                    rows[way] = {"style_loss": loss, "seconds": seconds}
                    print(f"{name:24} {way:26} {loss:7.4f} {seconds:7.1f} s")
                    if way == WAYS[0]:
                        shown.append(read_painting(path, SIDE)[:SIDE, :SIDE])
                        titles.append(name)
                    picture = (photographs[0] * 255).round().astype("uint8")
                    shown.append(extended.stylize(picture, name))
                    titles.append(way)
            content = json.dumps(results, indent=2) + "\n"
            write_atomically(options.results, content.encode())
    for way in WAYS:
        losses = [rows[way]["style_loss"] for rows in results["paintings"].values()]
        results[way] = {"style_loss": float(np.mean(losses))}
        seconds = [rows[way]["seconds"] for rows in results["paintings"].values()]
        print(f"{way:26} {np.mean(losses):7.4f} {np.mean(seconds):7.1f} s")
    ratios = [
        results[way]["style_loss"] / results[WAYS[2]]["style_loss"] for way in WAYS
    ]
    print("over the last:", ", ".join(f"{ratio:.3f}" for ratio in ratios))
    write_atomically(options.results, (json.dumps(results, indent=2) + "\n").encode())
    if len(shown) == len(HELD_OUT) * (1 + len(WAYS)):
        sheet = contact_sheet(shown, titles, columns=1 + len(WAYS))
        write_image(options.results.with_suffix(".jpg"), sheet)


if __name__ == "__main__":
    main()
