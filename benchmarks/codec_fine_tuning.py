"""What a codec gains on a kind of pictures from a short training on some of them.

    python benchmarks/codec_fine_tuning.py --pages 48 [--kodak KODAK_FOLDER]
    python benchmarks/codec_fine_tuning.py --data PAINTINGS --steps 6000 \\
        --set learning_rate=3e-5 warmup_steps=100 --results PAINTINGS.json

The first draws pages of text, the second takes pictures. Either trains the released
codec on with every second picture, the first included, as

    yoto train codec/large --from codec-v1 --data HALF --steps 3000 \\
        --workdir runs/codec-fine-tuning --set learning_rate=1e-4 warmup_steps=200

does, compresses the other half at eight λ before and after, prints the BD-rate (PSNR)
of after against before from the sizes of the real files, and writes
`results/codec_fine_tuning.json`. With `--kodak` the same on photographs: what the gain
costs elsewhere. Called again, it carries on where it was stopped.
"""

import argparse
import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from kodak import curve
from text_pages import text_pages

from yoto_tf import zoo
from yoto_tf.data import image_files
from yoto_tf.errors import YotoError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import bd_rate
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.codec.evaluation import evaluate
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release import start_from

RESULTS = Path(__file__).parent / "results" / "codec_fine_tuning.json"
SETTINGS = ["learning_rate=1e-4", "warmup_steps=200"]


def split(spec):
    """Every second picture in sorted order, the first included, and all others."""
    files = image_files(spec)
    return files[::2], files[1::2]


def copied(files, folder):
    """Copies files into a new folder, numbered: names may be the same."""
    folder.mkdir()
    for number, file in enumerate(files):
        shutil.copyfile(file, folder / f"{number:03}-{file.name}")
    return folder


def fine_tune(model, recipe, workdir):
    """Trains a released model on; returns the new one and the seconds it took."""
    release = zoo.release_of(model)
    trained = engine.train(
        recipe,
        None,
        workdir,
        resume=True,
        initialise=lambda model, batches: start_from(model.network, release),
    )
    if not trained.finished:
        raise SystemExit(f"stopped at step {trained.step}; call again to carry on")
    recipe.release(trained.model, workdir / "release")
    return zoo.load(workdir / "release"), trained.seconds


def gain(before, after):
    """BD-rates in percent of the mean and of every picture, with the mean curves."""
    pictures = zip(before.images, after.images, strict=True)
    return {
        "bd_rate_percent": _bd_rate(before.mean, after.mean),
        "pictures": {
            old["name"]: _bd_rate(old["points"], new["points"]) for old, new in pictures
        },
        "before": before.mean,
        "after": after.mean,
    }


def _bd_rate(before, after):
    """None where after and before share no PSNR: a picture of a kind it forgot."""
    try:
        return bd_rate(*curve(after), *curve(before))
    except YotoError:
        return None


def show(what, measured):
    """Prints both curves and the BD-rates of one set of pictures."""
    print(f"{what}: λ, bits per pixel before and after, PSNR (dB) before and after")
    for old, new in zip(measured["before"], measured["after"], strict=True):
        print(
            f"  {old['distortion']:8.4f}"
            f"  {old['bits_per_pixel']:8.4f} {new['bits_per_pixel']:8.4f}"
            f"  {old['psnr']:7.2f} {new['psnr']:7.2f}"
        )
    rates = [rate for rate in measured["pictures"].values() if rate is not None]
    mean = measured["bd_rate_percent"]
    print(
        f"  BD-rate {'none' if mean is None else f'{mean:+.2f} %'}; "
        f"{len(rates)} of {len(measured['pictures'])} pictures have one"
    )
    if rates:
        print(
            f"  of their own, {min(rates):+.2f} to {max(rates):+.2f} %, below 0 for "
            f"{sum(rate < 0 for rate in rates)}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", help="folder or glob of pictures")
    source.add_argument("--pages", type=int, help="how many pages of text to draw")
    parser.add_argument("--kodak", help="folder of other pictures to measure on")
    parser.add_argument("--model", default="codec-v1")
    parser.add_argument("--recipe", default="codec/large", help="the model's own")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--set", nargs="+", default=SETTINGS, metavar="FIELD=VALUE")
    parser.add_argument("--workdir", type=Path, default=Path("runs/codec-fine-tuning"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.pages:
            arguments.data = folder / "pages"
            arguments.data.mkdir()
            text_pages(arguments.data, arguments.pages)
        training, held_out = split(arguments.data)
        recipe = dataclasses.replace(
            override(load_recipe(arguments.recipe), arguments.set),
            data=str(copied(training, folder / "training")),
            steps=arguments.steps,
        )
        tuned, seconds = fine_tune(arguments.model, recipe, arguments.workdir)
        original = zoo.load(arguments.model)
        measured = {"held_out": copied(held_out, folder / "held-out")}
        if arguments.kodak:
            measured["kodak"] = arguments.kodak
        measured = {
            what: gain(evaluate(original, spec), evaluate(tuned, spec))
            for what, spec in measured.items()
        }
    results = {
        "model": Path(arguments.model).name,
        "recipe": arguments.recipe,
        "steps": recipe.steps,
        "settings": arguments.set,
        "seconds": seconds,
        "trained_on": [file.name for file in training],
        **measured,
    }
    print(f"{recipe.steps:,} steps on {len(training)} pictures, {seconds:.0f} s")
    for what in measured:
        show(what, results[what])
    arguments.results.parent.mkdir(exist_ok=True)
    write_atomically(arguments.results, f"{json.dumps(results, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
