"""One codec with a dial against codecs for one λ each, from real files.

    python benchmarks/codec_one_or_many.py --data PHOTOGRAPHS --evaluation KODAK_FOLDER

trains, for every width, the conditioned network and fixed ones at five λ by the same
recipe and for as many steps each, compresses the pictures of `--evaluation` with all of
them at these λ, prints the BD-rate (PSNR) of the one against the many, the weighted
losses λ · MSE + bits per pixel, and the parameters and hours of each. It does the same
with a second network with a dial, whose transforms have no FiLM, so that λ is in its
gains only. With `--draws` there are several of the first, and their mean BD-rate. It
writes `results/codec_one_or_many.json` and `.png`:

- left, the PSNR over the bits per pixel of the real files;
- right, by how much the one network's weighted loss is above the fixed network's.

Every network has a folder of its own below `--workdir`, with its checkpoints and, once
it is trained, its release: called again, the script carries on where it was stopped.
What the results file holds of the same recipe, settings, steps and pictures is kept, so
that widths can be added to it. Checkpoints go from one backend to the other, so that
the trainings may run on a GPU (`KERAS_BACKEND=jax`) and what follows elsewhere.
"""

import argparse
import dataclasses
import io
import json
import logging
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from kodak import curve

from yoto_tf import zoo
from yoto_tf.data import image_files, read_image
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import bd_rate, compare
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.codec.evaluation import evaluate
from yoto_tf.zoo.recipes import load_recipe

RESULTS = Path(__file__).parent / "results" / "codec_one_or_many.json"
KINDS = {"one": "one network", "gains_only": "one with λ in its gains only"}


def scaled(recipe, width):
    """The recipe with all channel counts multiplied by a factor and rounded."""
    return dataclasses.replace(
        recipe,
        filters=tuple(max(1, round(width * count)) for count in recipe.filters),
        hyper_filters=max(1, round(width * recipe.hyper_filters)),
    )


def released(recipe, folder):
    """The codec of a training that has ended; its release is written once."""
    release = folder / "release"
    if not (release / "config.json").exists():
        # It has ended: this only reads its last checkpoint.
        trained = engine.train(recipe, None, folder, resume=True)
        recipe.release(trained.model, release)
    return zoo.load(release)


def measure(recipe, points, spec, pictures, workdir, draws, known=None):
    """Trains and evaluates all networks of one width; a dict for the JSON.

    Args:
        recipe: a `CodecRecipe`.
        points: number of λ, evenly spaced in log λ, the ends of the range included.
        spec: the pictures that are compressed.
        pictures: the same, as batches for `sweep`.
        workdir: folder of the trainings.
        draws: how many networks of the recipe there are, from as many seeds.
        known: what an earlier call returned, whole or in part, and is not done again.
    """
    measured = dict(known or {})
    if "many" not in measured:
        measured |= fixed_networks(recipe, points, spec, pictures, workdir)
    many = curve(measured["many"]["points"])
    for kind, count in zip(KINDS, (draws, 1), strict=True):
        row = measured.setdefault(kind, {"draws": []})
        for seed in range(len(row["draws"]), count):
            drawn = dataclasses.replace(recipe, film=kind == "one", seed=seed)
            folder = workdir / (f"{kind}-{seed}" if seed else kind)
            trained = engine.train(drawn, None, folder, resume=True)
            row["parameters"] = trained.model.network.count_params()
            codec = released(drawn, folder)
            row["draws"].append(
                {
                    "hours": trained.seconds / 3600,
                    "points": evaluate(codec, spec, settings=points).mean,
                }
            )
        rates = [bd_rate(*curve(draw["points"]), *many) for draw in row["draws"]]
        for draw, rate in zip(row["draws"], rates, strict=True):
            draw["bd_rate_percent"] = rate
        row["bd_rate_percent"] = float(np.mean(rates))
    return measured


def fixed_networks(recipe, points, spec, pictures, workdir):
    """The fixed networks, and the regret of the one, as `measure` returns them."""
    grid = recipe.build().coefficients.grid(points)
    comparison = compare(recipe, grid, None, pictures, workdir)
    print(comparison)
    many = []
    for vector in grid.tolist():
        fixed = dataclasses.replace(recipe, fixed=tuple(vector))
        many += evaluate(released(fixed, workdir / f"fixed-{vector[0]:g}"), spec).mean
    return {
        "filters": recipe.filters,
        "hyper_filters": recipe.hyper_filters,
        "many": {
            "parameters": comparison.many_parameters,
            "hours": comparison.many_hours,
            "points": many,
        },
        "regret_percent": comparison.regret().tolist(),
    }


def show(width, measured):
    """Prints what the files of one width weigh, for several draws the first's."""
    many = measured["many"]
    rows = [measured[kind]["draws"][0]["points"] for kind in KINDS]
    print(
        f"width {width:g}×: λ, bits per pixel and PSNR (dB) of one, of one with gains "
        "only, of a fixed one"
    )
    for points in zip(*rows, many["points"], strict=True):
        cells = (
            f"{point['bits_per_pixel']:8.4f} {point['psnr']:6.2f}" for point in points
        )
        print(f"  {points[0]['distortion']:8.4f}  {'  '.join(cells)}")
    for kind, title in KINDS.items():
        one = measured[kind]
        rates = ", ".join(f"{draw['bd_rate_percent']:+.2f}" for draw in one["draws"])
        print(
            f"  {title}: BD-rate against many {one['bd_rate_percent']:+.2f} % "
            f"(of {rates}); parameters {one['parameters']:,} against "
            f"{sum(many['parameters']):,}, hours {one['draws'][0]['hours']:.2f} "
            f"against {sum(many['hours']):.2f}"
        )


def plot(path, widths):
    """Draws both figures; `widths` is {width: what `measure` returned}."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    right.axhline(0, color="grey", linewidth=1)
    for position, (width, measured) in enumerate(widths.items()):
        colour = f"C{position}"
        curves = [(measured["many"]["points"], "x", f"fixed networks, {width:g}×")]
        for (kind, title), marker in zip(KINDS.items(), ("o-", "^:"), strict=True):
            rate = f"{measured[kind]['bd_rate_percent']:+.1f} %"
            points = measured[kind]["draws"][0]["points"]
            curves.append((points, marker, f"{title}, {width:g}×: {rate}"))
        for points, marker, label in curves:
            rates, qualities = (
                [point[name] for point in points] for name in ("bits_per_pixel", "psnr")
            )
            left.plot(rates, qualities, marker, color=colour, label=label)
        distortions = [point["distortion"] for point in measured["many"]["points"]]
        regret = measured["regret_percent"]
        right.plot(distortions, regret, "o-", color=colour, label=f"{width:g}×")
    left.set(
        xlabel="bits per pixel", ylabel="PSNR (dB, RGB)", title="Rate and distortion"
    )
    right.set(
        title="Price of the dial at each λ",
        xlabel="λ",
        ylabel="weighted loss over that of a fixed network (%)",
        xscale="log",
    )
    for axes in (left, right):
        axes.grid(alpha=0.3)
    # A column for each width.
    entries = left.get_legend_handles_labels()
    figure.legend(
        *entries,
        title="BD-rate against the fixed networks",
        loc="outside lower center",
        ncols=len(widths),
        fontsize="small",
    )
    right.legend(title="width")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())


def known_widths(path, description):
    """{width: measured} of a results file that describes itself so; else empty."""
    if not path.exists():
        return {}
    results = json.loads(path.read_text(encoding="utf-8"))
    if any(results.get(name) != value for name, value in description.items()):
        return {}
    return {float(width): row for width, row in results["widths"].items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="photographs to train on")
    parser.add_argument("--evaluation", required=True, help="folder or glob: Kodak")
    parser.add_argument("--recipe", default="codec/large")
    parser.add_argument("--steps", type=int, default=6000, help="of every network")
    parser.add_argument("--points", type=int, default=5, help="λ, at least 4")
    parser.add_argument("--widths", type=float, nargs="+", default=[0.5, 1.0])
    parser.add_argument("--draws", type=int, default=1, help="of one network, seeds")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--workdir", type=Path, default=Path("runs/codec-one-or-many"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    if arguments.points < 4:
        parser.error(f"a BD-rate needs 4 λ or more, got {arguments.points}")
    # Every network is traced by itself: nothing is wrong with that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

    recipe = override(load_recipe(arguments.recipe), arguments.set)
    recipe = dataclasses.replace(recipe, steps=arguments.steps, data=arguments.data)
    files = image_files(arguments.evaluation)
    pictures = [{"image": np.float32(read_image(file))[None] / 255} for file in files]
    results = {
        "recipe": arguments.recipe,
        "settings": arguments.set,
        "steps": arguments.steps,
        "pictures": len(files),
    }
    widths = known_widths(arguments.results, results)
    for width in arguments.widths:
        # Budgets apart: a training that has ended is not the start of a longer one.
        workdir = arguments.workdir / f"width-{width:g}-steps-{arguments.steps}"
        widths[width] = measure(
            scaled(recipe, width),
            arguments.points,
            arguments.evaluation,
            pictures,
            workdir,
            arguments.draws,
            widths.get(width),
        )
        show(width, widths[width])
    widths = dict(sorted(widths.items()))
    results["widths"] = widths
    arguments.results.parent.mkdir(exist_ok=True)
    write_atomically(arguments.results, f"{json.dumps(results, indent=1)}\n".encode())
    plot(arguments.results.with_suffix(".png"), widths)


if __name__ == "__main__":
    main()
