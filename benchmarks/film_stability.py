"""How much does a stylised film flicker?

    python benchmarks/film_stability.py --data KODAK --styles PAINTINGS \
        --features VGG16.npz [--against MODEL]

Two films are made of each photograph: a still one, whose frames differ by the noise of
a sensor alone, and a pan, whose frames are windows that move by a few whole pixels.
Measured is the mean absolute change from one stylised frame to the next, of the pan
after shifting it back, over that of the photograph's frames, as they are. A network
that only blurs would flicker less: what the loss terms are on the first frames stands
beside it. Each is a mean over photographs and styles, with all dials in the middle.
`--against` names a model to compare with, the release before. Writes
`results/film_stability.json`.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from stylization_dials import inputs, measured
from tqdm import tqdm

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.stylization.paintings import painting_files

RESULTS = Path(__file__).parent / "results" / "film_stability.json"
FRAMES = 5
# Standard deviation of the noise, in steps of 8 bits.
NOISE = 3.0
# Rows and columns from one frame to the next; the network's grid is of four pixels.
STEP = (1, 3)
# Pixels at the edge that are not compared: what lies beyond them is not the same.
EDGE = 16


def still(image, size, random):
    """Frames of a scene in which nothing moves: uint8 [FRAMES, size, size, 3]."""
    scene = image[:size, :size].astype("float64")
    noise = random.normal(0, NOISE, (FRAMES, *scene.shape))
    return np.clip(np.rint(scene + noise), 0, 255).astype("uint8")


def pan(image, size):
    """Frames of a camera that moves by `STEP`: uint8 [FRAMES, size, size, 3]."""
    corners = [(number * STEP[0], number * STEP[1]) for number in range(FRAMES)]
    return np.stack([image[y : y + size, x : x + size] for y, x in corners])


def change(frames, step=(0, 0)):
    """Mean absolute change between frames that have moved by `step`, shifted back."""
    down, right = step
    size = frames.shape[1]
    frames = frames.astype("float64")
    before = frames[:-1, EDGE + down : size - EDGE, EDGE + right : size - EDGE]
    after = frames[1:, EDGE : size - EDGE - down, EDGE : size - EDGE - right]
    return np.abs(after - before).mean()


def flicker(stylizer, photographs, size):
    """{"still", "pan": change in the stylised film over that in the film}."""
    found = {"still": [], "pan": []}
    random = np.random.default_rng(0)
    films = [
        film
        for image in photographs
        for film in (
            ("still", still(image, size, random), (0, 0)),
            ("pan", pan(image, size), STEP),
        )
    ]
    for style in tqdm(stylizer.styles, disable=None):
        for kind, frames, step in films:
            painted = np.stack([stylizer.stylize(frame, style) for frame in frames])
            found[kind].append(change(painted, step) / change(frames))
    return {kind: float(np.mean(ratios)) for kind, ratios in found.items()}


def losses(stylizer, terms, photographs, size):
    """{"content", "style": the loss, mean over photographs and styles}."""
    images = np.stack([image[:size, :size] for image in photographs]) / np.float32(255)
    found = []
    for shares in np.eye(len(stylizer.styles), dtype="float32"):
        batch = inputs(images, shares, stylizer.coefficients.vector())
        values = measured(stylizer.model, terms, batch)
        style = sum(values[f"style_{number}"] for number in range(1, 5))
        found.append((values["content"].mean(), style.mean()))
    content, style = np.mean(found, axis=0)
    return {"content": float(content), "style": float(style)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--against", help="the model before")
    parser.add_argument("--data", required=True, help="held-out photographs")
    parser.add_argument("--styles", required=True, help="the paintings of its styles")
    parser.add_argument("--features", default="", help="VGG-16 as .npz")
    parser.add_argument("--photographs", type=int, default=6)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    files = image_files(options.data)[: options.photographs]
    photographs = [read_image(file) for file in files]
    recipe = dataclasses.replace(
        load_recipe("stylization/large"), features=options.features
    )
    paintings = painting_files(options.styles)
    results = {"photographs": len(photographs)}
    for role, name in {"released": options.model, "before": options.against}.items():
        if not name:
            continue
        stylizer = zoo.load(name)
        terms = recipe.terms([paintings[style] for style in stylizer.styles])
        results[role] = {
            "model": stylizer.release.id.hex(),
            **flicker(stylizer, photographs, options.size),
            **losses(stylizer, terms, photographs, options.size),
        }
        print(role, results[role])
    options.results.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
