"""What each part of the codec's recipe is worth, one at a time.

    python benchmarks/codec_ablations.py --data PHOTOGRAPHS --evaluation OTHERS

trains `codec/small` and variants that differ in one thing, all for about the same time,
half an hour on one core: for as many steps, or fewer where a step costs more.
Compresses pictures of which no training saw any, prints the BD-rate (PSNR) of each
variant against the recipe, and writes `results/codec_ablations.json`. The bits are the
network's count of what the range coder would write (`benchmarks/integer_path.py` has
both).

Every variant has a folder of its own below `--workdir`: called again, the script
carries on where it was stopped. With `--only` it trains and measures nothing, so that
two calls share the variants out before a last one without it.
"""

import argparse
import dataclasses
import json
import logging
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from keras import ops, random
from kodak import curve

from yoto_tf import LossConditionalModel
from yoto_tf.data import image_files, read_image
from yoto_tf.errors import RecipeError, YotoError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import bd_rate, sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.codec.losses import rate_distortion_terms
from yoto_tf.zoo.codec.network.hyperprior import Hyperprior
from yoto_tf.zoo.codec.recipe import CodecRecipe
from yoto_tf.zoo.recipes import load_recipe

RESULTS = Path(__file__).parent / "results" / "codec_ablations.json"
FIELDS = [field.name for field in dataclasses.fields(CodecRecipe)]


class RandomStart(CodecRecipe):
    """Begins with Keras' initial weights instead of a linear codec."""

    def initialise(self, model, batches):
        pass


class Unbalanced(CodecRecipe):
    """The plain weighted sum, to which large λ contribute most."""

    def training_model(self, network):
        return LossConditionalModel(
            network, rate_distortion_terms, network.coefficients
        )


class NoisyHyperprior(Hyperprior):
    """Its transforms see noise in training instead of rounded values."""

    def quantize_in_training(self, values):
        seed = self.conditional.seed_generator
        return values + random.uniform(ops.shape(values), -0.5, 0.5, seed=seed)


class Noise(CodecRecipe):
    """Trains with noise throughout, as Ballé et al. (2018)."""

    def network(self, coefficients):
        return NoisyHyperprior(coefficients, self.filters, self.hyper_filters)


@dataclasses.dataclass(frozen=True)
class Variant:
    """One thing that is done differently.

    Attributes:
        settings: fields of the recipe, as `--set` takes them.
        kind: the class of the recipe.
        share: of the steps, where one costs more or less than the recipe's.
    """

    settings: tuple[str, ...] = ()
    kind: type = CodecRecipe
    share: float = 1.0


VARIANTS = {
    "recipe": Variant(),
    "rate decays in the last fifth": Variant(("decay_fraction=0.2",)),
    "4 patches of 128": Variant(("patch_size=128", "batch_size=4")),
    "λ not balanced": Variant(kind=Unbalanced),
    "random start": Variant(kind=RandomStart),
    "λ in the gains only": Variant(("film=False",)),
    "noise throughout": Variant(kind=Noise),
    "half as wide again": Variant(("filters=48,96,144,160",), share=0.64),
}


def varied(recipe, variant):
    """The recipe with one thing done differently."""
    fields = {name: getattr(recipe, name) for name in FIELDS}
    fields["steps"] = round(variant.share * recipe.steps)
    return override(variant.kind(**fields), variant.settings)


def metrics(inputs, outputs):
    """The PSNR of pictures as they are shown: 8-bit values."""
    shown = ops.clip(ops.round(outputs["reconstruction"] * 255.0), 0.0, 255.0)
    error = ops.mean(ops.square(shown - inputs["image"] * 255.0), axis=(1, 2, 3))
    return {"psnr": 10.0 * ops.log10(255.0**2 / error)}


def train(recipe, workdir):
    """Trains one variant, or loads it where it is trained already."""
    trained = engine.train(recipe, None, workdir, resume=True)
    if not trained.finished:
        raise RecipeError(f"{workdir} stopped at step {trained.step}: call again")
    return trained


def measure(trained, steps, pictures, points):
    """Evaluates one variant; a dict for the JSON."""
    grid = trained.model.coefficients.grid(points)
    rows = sweep(trained.model, pictures, grid, metrics).table()
    return {
        "steps": steps,
        "hours": trained.seconds / 3600,
        "parameters": trained.model.network.count_params(),
        "points": [
            {
                "distortion": row["distortion_coefficient"],
                "bits_per_pixel": row["rate"],
                "psnr": row["psnr"],
            }
            for row in rows
        ],
    }


def compared(points, baseline):
    """The BD-rate in percent; None where the curves share no PSNR."""
    try:
        return bd_rate(*curve(points), *curve(baseline))
    except YotoError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", required=True, help="photographs to train on")
    parser.add_argument("--evaluation", required=True, help="others: folder or glob")
    parser.add_argument("--pictures", type=int, default=20, help="how many of them")
    parser.add_argument("--steps", type=int, default=29_000, help="of the recipe")
    parser.add_argument("--points", type=int, default=5, help="λ, at least 4")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", choices=VARIANTS)
    parser.add_argument("--workdir", type=Path, default=Path("runs/codec-ablations"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    # Every network is traced by itself: nothing is wrong with that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)

    recipe = dataclasses.replace(
        load_recipe("codec/small"), steps=arguments.steps, data=arguments.data
    )
    variants = {
        name: varied(recipe, VARIANTS[name]) for name in arguments.only or VARIANTS
    }
    trainings = {
        name: train(variant, arguments.workdir / f"{name}, {arguments.steps} steps")
        for name, variant in variants.items()
    }
    if arguments.only:
        return
    files = image_files(arguments.evaluation)
    files = files[:: max(1, len(files) // arguments.pictures)][: arguments.pictures]
    pictures = [{"image": np.float32(read_image(file))[None] / 255} for file in files]
    measured = {
        name: measure(trained, variants[name].steps, pictures, arguments.points)
        for name, trained in trainings.items()
    }
    print("BD-rate (PSNR) against the recipe, steps, minutes, parameters, best PSNR")
    for name, row in measured.items():
        rate = compared(row["points"], measured["recipe"]["points"])
        row["bd_rate_percent"] = rate
        print(
            f"  {name:32} {'none' if rate is None else f'{rate:+.2f} %':>9}  "
            f"{row['steps']:6}  {60 * row['hours']:5.1f}  {row['parameters']:10,}  "
            f"{row['points'][-1]['psnr']:6.2f}"
        )
    results = {
        "recipe": "codec/small",
        "steps": arguments.steps,
        "pictures": len(files),
        "variants": measured,
    }
    arguments.results.parent.mkdir(exist_ok=True)
    write_atomically(arguments.results, f"{json.dumps(results, indent=1)}\n".encode())


if __name__ == "__main__":
    main()
