"""The YOTO paper's figures of the β-VAE: one network against networks for one β each.

    TFDS_DATA_DIR=… python benchmarks/vae_pareto.py --workdir runs/vae-pareto

trains, for every width, the conditioned network and fixed ones at five β by the same
recipe and for as many steps, evaluates them on the test pictures, prints the full
losses β · KL + reconstruction, and writes `results/vae_pareto.json` and `.png`:

- left, the reconstruction over the KL at 13 values of β, with the fixed networks;
- right, the full loss of every network less that of the narrowest fixed network with
  the same β, over log2 β.

Every network has a folder of its own below `--workdir`: called again, the script
carries on where it was stopped. The reconstruction is the logarithm of a density, so
that the full loss may be about zero at some β, where a difference in percent says
little: the differences in nats are written too.
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

from yoto_tf.data import Examples
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import compare, sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.vae.pictures import load_pictures

RESULTS = Path(__file__).parent / "results" / "vae_pareto.json"
GRID_POINTS = 13
FIXED_KL = (0.125, 1.0, 8.0, 64.0, 512.0)


def measure(recipe, fixed_kl, evaluation, workdir):
    """Trains and evaluates all networks of one width; a dict for the JSON."""
    comparison = compare(
        recipe, np.reshape(fixed_kl, (-1, 1)), None, evaluation, workdir
    )
    # It has ended: this only reads its last checkpoint.
    one = engine.train(recipe, None, workdir / "one", resume=True).model
    front = sweep(one, evaluation, one.coefficients.grid(GRID_POINTS))
    difference = comparison.one.totals() - comparison.many.totals()
    return {
        "front": front.table(),
        "one": comparison.one.table(),
        "fixed": comparison.many.table(),
        "difference_nats": difference.tolist(),
        "difference_percent": comparison.regret().tolist(),
        "one_parameters": comparison.one_parameters,
        "fixed_parameters": comparison.many_parameters,
        "one_hours": comparison.one_hours,
        "fixed_hours": comparison.many_hours,
    }


def show(width, measured):
    """Prints the full losses of one width."""
    print(f"width {width}×: β, full loss of the one network and of the fixed one")
    rows = zip(
        measured["one"],
        measured["fixed"],
        measured["difference_nats"],
        measured["difference_percent"],
        strict=True,
    )
    for one, fixed, nats, percent in rows:
        print(
            f"  {one['kl_coefficient']:8g} {one['total']:10.2f} {fixed['total']:10.2f}"
            f"  {nats:+8.2f} nats  {percent:+7.2f} %"
        )


def plot(path, widths):
    """Draws both figures; `widths` is {width: what `measure` returned}."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    (baseline,) = _columns(widths[min(widths)]["fixed"], "total")
    for position, (width, measured) in enumerate(widths.items()):
        colour = f"C{position}"
        one = {"color": colour, "marker": "o", "label": f"one network, {width}×"}
        fixed = {"color": colour, "marker": "x", "label": f"fixed, {width}×"}
        left.plot(*_columns(measured["front"], "kl", "reconstruction"), **one)
        left.scatter(*_columns(measured["fixed"], "kl", "reconstruction"), **fixed)
        for rows, style in ((measured["one"], one), (measured["fixed"], fixed)):
            kl, totals = _columns(rows, "kl_coefficient", "total")
            right.plot(kl, totals - baseline, **style)
    left.set(
        xlabel="KL (nats)", ylabel="reconstruction loss (nats)", title="Both terms"
    )
    right.set(
        xlabel="β",
        ylabel=f"full loss less that of fixed {min(widths)}× (nats)",
        title="Price of the dial at each β",
    )
    right.set_xscale("log", base=2)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend()
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    write_atomically(path, content.getvalue())


def _columns(rows, *names):
    return np.array([[row[name] for row in rows] for name in names])


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="vae/cifar10")
    parser.add_argument("--steps", type=int, help="of every network")
    parser.add_argument("--widths", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--fixed-kl", type=float, nargs="+", default=FIXED_KL)
    parser.add_argument("--data", help="training pictures, by default the recipe's")
    parser.add_argument("--evaluation", default="tfds:cifar10:test")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--workdir", type=Path, default=Path("runs/vae-pareto"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    # Every network is traced by itself: nothing is wrong with that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

    recipe = override(load_recipe(arguments.recipe), arguments.set)
    given = {"steps": arguments.steps, "data": arguments.data}
    given = {name: value for name, value in given.items() if value is not None}
    recipe = dataclasses.replace(recipe, **given)
    images = load_pictures(arguments.evaluation, recipe.image_shape)
    evaluation = Examples({"image": images}, batch_size=500, shuffle=False)
    widths = {}
    for width in sorted(arguments.widths):
        recipe = dataclasses.replace(recipe, width=width)
        workdir = arguments.workdir / f"width-{width}"
        widths[width] = measure(recipe, arguments.fixed_kl, evaluation, workdir)
        show(width, widths[width])
    results = {
        "recipe": arguments.recipe,
        "settings": arguments.set,
        "steps": recipe.steps,
        "data": recipe.data,
        "evaluation": arguments.evaluation,
        "widths": widths,
    }
    arguments.results.parent.mkdir(exist_ok=True)
    content = json.dumps(results, indent=2) + "\n"
    write_atomically(arguments.results, content.encode())
    plot(arguments.results.with_suffix(".png"), widths)


if __name__ == "__main__":
    main()
