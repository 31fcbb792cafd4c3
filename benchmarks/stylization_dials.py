"""Does a dial of the stylizer do what training for its setting does?

    python benchmarks/stylization_dials.py --data KODAK --styles PAINTINGS \
        --features VGG16.npz --squeezenet SQUEEZENET.npz \
        --training-data PHOTOGRAPHS --fixed-steps 60000

(a) For every style and coefficient, the others in the middle: the rank correlation of
the coefficient and its own loss term, averaged over held-out photographs; it should be
near -1. (b) For one painting at a time, a network with dials and others for one
setting each, trained by one recipe for as many steps: their weighted totals. All begin
at random, or with `--start stylization` as the pretrained one. With `--longer-steps`
there is a second network with dials, which may have as many steps as the others have
together; what the results file holds of the first and the others is kept. (c) How
far apart the outputs of random coefficients are, by the features of another network; a
fixed network gives one output, so zero. With `--points 0` (a) is left out, without
`--fixed-steps` (b), without `--squeezenet` (c). Prints tables and writes them to
`results/stylization_dials.json`, and with (a) two pictures beside it: a row for each
coefficient, from its lowest to its highest, and, in `stylization_styles.jpg`, every
style in the middle of all dials.
"""

import argparse
import dataclasses
import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np
from keras import ops
from PIL import Image
from scipy.stats import spearmanr
from tqdm import tqdm

from yoto_tf import LossConditionalModel, compare, zoo
from yoto_tf.data import Examples, image_files, photograph, read_image, write_image
from yoto_tf.imaging.contact_sheet import contact_sheet
from yoto_tf.tradeoff import sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release import Release, set_weights
from yoto_tf.zoo.stylization.network.style_network import StyleNetwork
from yoto_tf.zoo.stylization.paintings import painting_files
from yoto_tf.zoo.stylization.recipe import StylizationRecipe
from yoto_tf.zoo.stylization.training.perceptual import RGB_MEANS

RESULTS = Path(__file__).parent / "results" / "stylization_dials.json"
FIELDS = dataclasses.fields(StylizationRecipe)
SETTINGS = {
    "the photograph": {"content": 10.0},
    "all in the middle": {},
    "long strokes": {"content": 0.05, "style_1": 0.03, "style_4": 1.0},
}


def crops(spec, size, count):
    """The middles of photographs, float32 [N, size, size, 3] in [0, 1]."""
    found = []
    for path in image_files(spec)[:count]:
        image = read_image(path)
        top, left = ((side - size) // 2 for side in image.shape[:2])
        found.append(image[top : top + size, left : left + size])
    return np.stack(found) / np.float32(255)


def inputs(photographs, style, vector):
    """A batch of photographs at one setting; `style` float32 [S]."""
    rows = len(photographs)
    return {
        "image": photographs,
        "style": np.tile(style, (rows, 1)),
        "coefficients": np.tile(vector, (rows, 1)),
    }


def measured(network, terms, batch, rows=4):
    """The terms {name: array [N]} of a batch, a few rows at a time."""
    found = []
    for begin in range(0, len(batch["image"]), rows):
        part = {name: array[begin : begin + rows] for name, array in batch.items()}
        values = terms(part, network(part))
        found.append({name: np.array(value) for name, value in values.items()})
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}


def dials(stylizer, terms, photographs, points):
    """(a) {style: {coefficient: mean rank correlation}}."""
    coefficients = stylizer.coefficients
    identity = np.eye(len(stylizer.styles), dtype="float32")
    quantiles = np.linspace(0, 1, points)
    correlations = {}
    todo = list(itertools.product(stylizer.styles, coefficients.names))
    for style, name in tqdm(todo, desc="dials", disable=None):
        shares = identity[stylizer.styles.index(style)]
        losses = []
        for value in coefficients.independent[name].quantile(quantiles):
            vector = coefficients.vector(**{name: float(value)})
            batch = inputs(photographs, shares, vector)
            losses.append(measured(stylizer.model, terms, batch)[name])
        ranks = [spearmanr(quantiles, row).statistic for row in np.transpose(losses)]
        correlations.setdefault(style, {})[name] = float(np.mean(ranks))
    return correlations


def balanced_weights(stylizer, terms, recipe, spec, batches=25):
    """{coefficient: factor} by which training balances the terms, measured again."""
    source = recipe.batches(spec, 0)
    random = np.random.default_rng(0)
    sums = dict.fromkeys(stylizer.coefficients.names, 0.0)
    for index in range(batches):
        batch = source[index]
        quantiles = random.random((len(batch["image"]), len(sums)))
        distributions = stylizer.coefficients.independent.values()
        pairs = zip(distributions, quantiles.T, strict=True)
        columns = [distribution.quantile(column) for distribution, column in pairs]
        batch["coefficients"] = np.stack(columns, axis=-1).astype("float32")
        found = measured(stylizer.model, terms, batch)
        for name in sums:
            sums[name] += found[name].mean()
    # The same in every digit whatever the threads, so that a training can be resumed.
    return {
        name: float(f"{sum(sums.values()) / value:.6g}") for name, value in sums.items()
    }


@dataclasses.dataclass(frozen=True)
class Rescaled:
    """Loss terms times constants: one objective for all networks."""

    terms: Callable
    factors: dict[str, float]

    def __call__(self, inputs, outputs):
        terms = self.terms(inputs, outputs)
        return {name: self.factors.get(name, 1) * terms[name] for name in terms}


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnePainting(StylizationRecipe):
    """A network for one painting, whose terms are balanced by constants.

    Attributes:
        factors: of the terms that have a coefficient, in their order.
        start: the pretrained stylizer that it begins as; empty to begin at random.
    """

    factors: tuple[float, ...]
    start: str = ""

    def build(self):
        files = painting_files(self.styles)
        # Where a setting is held, the network still reads it from the whole range.
        dials = dataclasses.replace(self, fixed=None).coefficients()
        network = StyleNetwork(
            dials, files, self.width, self.blocks, upsampling="linear"
        )
        return self.training_model(network, self.terms(files.values()))

    def terms(self, files):
        names = self.coefficients().names
        factors = dict(zip(names, self.factors, strict=True))
        return Rescaled(super().terms(files), factors)

    def training_model(self, network, terms):
        return LossConditionalModel(
            network,
            terms,
            self.training_distribution(self.coefficients()),
            normalize_weights=self.fixed is None,
        )

    def initialise(self, model, batches):
        if self.start:
            own = Release.from_network("stylization", model.network).weights
            weights = zoo.release_of(self.start).weights
            set_weights(model.network, {path: weights[path] for path in own})


def against_fixed(stylizer, factors, recipe, photographs, options, known):
    """(b) {style: a dict of what each kind of network cost, and of its totals}."""
    files = painting_files(options.styles)
    vectors = [stylizer.coefficients.vector(**row) for row in SETTINGS.values()]
    arrays = {"image": photographs, "style": np.ones((len(photographs), 1), "float32")}
    evaluation = Examples(arrays, batch_size=4, shuffle=False)
    fields = {field.name: getattr(recipe, field.name) for field in FIELDS}
    fields |= {
        "steps": options.fixed_steps,
        "factors": tuple(factors.values()),
        "start": options.start,
    }
    data = options.training_data
    found = {}
    for style in options.fixed_styles or stylizer.styles[:2]:
        one = OnePainting(**fields | {"styles": str(files[style])})
        folder = options.workdir / style
        found[style] = known.get(style) or fixed_totals(
            compare(one, vectors, data, evaluation, folder)
        )
        if options.longer_steps:
            longer = dataclasses.replace(one, steps=options.longer_steps)
            trained = engine.train(longer, data, folder / "longer", resume=True)
            swept = sweep(trained.model, evaluation, vectors)
            found[style]["longer"] = {
                "steps": longer.steps,
                "hours": trained.seconds / 3600,
                "totals": {
                    setting: {"one": one, "ratio": one / row["fixed"]}
                    for (setting, row), one in zip(
                        found[style]["totals"].items(), swept.totals(), strict=True
                    )
                },
            }
    return found


def fixed_totals(comparison):
    """What is written of the networks for one painting."""
    totals = zip(comparison.one.totals(), comparison.many.totals(), strict=True)
    return {
        "one_hours": comparison.one_hours,
        "fixed_hours": comparison.many_hours,
        "totals": {
            setting: {"one": one, "fixed": fixed, "ratio": one / fixed}
            for setting, (one, fixed) in zip(SETTINGS, totals, strict=True)
        },
    }


def known_fixed(path, description):
    """{style: row} of (b) in a results file that describes itself so; else empty."""
    if not path.exists():
        return {}
    results = json.loads(path.read_text(encoding="utf-8"))
    found = {**results, **results.get("against_fixed", {})}
    if any(found.get(name) != value for name, value in description.items()):
        return {}
    return found["styles"]


class SqueezeNet:
    """Unit-length features after four of the fire modules, of another network.

    Reference: Iandola et al., "SqueezeNet", 2016.
    """

    layers = ("fire2", "fire4", "fire6", "fire9")

    def __init__(self, path):
        with np.load(path) as archive:
            self._arrays = {key: archive[key] for key in archive.files}

    def __call__(self, images):
        features = images * 255.0 - np.float32(RGB_MEANS)
        features = self._convolved(features[..., ::-1], "conv1", 2, "valid")
        found = []
        for number in range(2, 10):
            if number in (2, 5, 9):
                features = ops.max_pool(features, 3, 2, "same")
            squeezed = self._convolved(features, f"fire{number}/conv1x1_1")
            expanded = [
                self._convolved(squeezed, f"fire{number}/conv{size}_2")
                for size in ("1x1", "3x3")
            ]
            features = ops.concatenate(expanded, axis=-1)
            if f"fire{number}" in self.layers:
                length = ops.norm(features, axis=-1, keepdims=True)
                found.append(np.array(features / ops.maximum(length, 1e-6)))
        return found

    def _convolved(self, features, name, stride=1, padding="same"):
        kernel, bias = (self._arrays[f"{name}/{part}"] for part in ("kernel", "bias"))
        return ops.relu(ops.conv(features, kernel, stride, padding) + bias)


def diversity(stylizer, judge, photographs, draws):
    """(c) Mean distances of pairs: random coefficients, and for scale random styles."""
    found = {}
    style = stylizer.styles[0]
    kinds = {
        "coefficients": stylizer.random_settings(draws, 0, style),
        "styles": stylizer.random_settings(draws, 0, **_middle(stylizer)),
    }
    for kind, settings in kinds.items():
        apart = []
        for pixels in tqdm(photographs, desc=f"diversity of {kind}", disable=None):
            image = np.rint(pixels * 255).astype("uint8")
            outputs = [
                stylizer.stylize(image, setting.style, **setting.coefficients)
                for setting in settings
            ]
            apart += distances(judge(np.stack(outputs) / np.float32(255)))
        found[kind] = float(np.mean(apart))
    return found


def distances(features):
    """Of every pair of pictures, in order: the mean squared distance, summed by layer.

    Args:
        features: a list of [N, h, w, C], as of `SqueezeNet`.
    """
    found = []
    for first, second in itertools.combinations(range(len(features[0])), 2):
        squares = [np.square(x[first] - x[second]) for x in features]
        found.append(float(sum(x.sum(axis=-1).mean() for x in squares)))
    return found


def _middle(stylizer):
    vector = stylizer.coefficients.vector()
    return dict(zip(stylizer.coefficients.names, map(float, vector), strict=True))


def picture_of_dials(stylizer, image, style):
    """A row for every coefficient, from its lowest value to its highest."""
    pictures, captions = [], []
    independent = stylizer.coefficients.independent
    for name, distribution in independent.items():
        # As many as there are rows, so that the sheet has them below each other.
        for value in distribution.quantile(np.linspace(0, 1, len(independent))):
            pictures.append(stylizer.stylize(image, style, **{name: float(value)}))
            captions.append(f"{name} = {value:.2g}")
    # Half of it is enough for a page to show, and a quarter of the bytes.
    return np.asarray(Image.fromarray(contact_sheet(pictures, captions)).reduce(2))


def picture_of_styles(stylizer, image):
    """Every style with all coefficients in the middle."""
    pictures = [stylizer.stylize(image, style) for style in stylizer.styles]
    sheet = contact_sheet(pictures, stylizer.styles, columns=4)
    return np.asarray(Image.fromarray(sheet).reduce(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", default="stylization")
    parser.add_argument("--data", required=True, help="held-out photographs")
    parser.add_argument("--styles", required=True, help="the paintings of its styles")
    parser.add_argument("--features", default="", help="VGG-16 as .npz")
    parser.add_argument("--squeezenet", help="SqueezeNet 1.0 as .npz")
    parser.add_argument("--recipe", default="stylization/small")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--training-data", help="photographs for (b)")
    parser.add_argument("--fixed-steps", type=int, default=0)
    parser.add_argument(
        "--longer-steps", type=int, default=0, help="of a second network with dials"
    )
    parser.add_argument("--start", default="", help="model that (b) begins as")
    parser.add_argument("--fixed-styles", nargs="*", help="default: the first two")
    parser.add_argument("--workdir", type=Path, default=Path("runs/fixed"))
    parser.add_argument("--photographs", type=int, default=24)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--points", type=int, default=7, help="of (a), 0: without")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--picture-style", default="starry_night")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    stylizer = zoo.load(options.model)
    recipe = dataclasses.replace(
        override(load_recipe(options.recipe), options.set),
        styles=options.styles,
        features=options.features,
        width=stylizer.model.width,
        blocks=stylizer.model.blocks,
    )
    files = painting_files(options.styles)
    terms = recipe.terms([files[style] for style in stylizer.styles])
    photographs = crops(options.data, options.size, options.photographs)

    results = {"model": stylizer.release.id.hex(), "photographs": len(photographs)}
    if options.points:
        correlations = dials(stylizer, terms, photographs, options.points)
        results["rank_correlation"] = correlations
        print("rank correlation of a coefficient and its own term")
        for name in stylizer.coefficients.names:
            column = np.array([correlations[style][name] for style in stylizer.styles])
            falling = (column.round(9) <= -0.9).sum()
            print(
                f"  {name:8} mean {column.mean():+.3f}  worst {column.max():+.3f}  "
                f"{falling} of {len(column)} styles at -0.9 or below"
            )
    if options.fixed_steps:
        factors = balanced_weights(stylizer, terms, recipe, options.training_data)
        described = {
            "recipe": options.recipe,
            "settings": options.set,
            "start": options.start,
            "steps": options.fixed_steps,
        }
        same = {"model": results["model"], "photographs": len(photographs), **described}
        known = known_fixed(options.results, same)
        found = against_fixed(stylizer, factors, recipe, photographs, options, known)
        results["against_fixed"] = {**described, "styles": found}
        print("weighted total, one network with dials : trained for the setting alone")
        for style, row in found.items():
            for setting, total in row["totals"].items():
                line = (
                    f"  {style:20} {setting:18} {total['one']:8.3f} : "
                    f"{total['fixed']:8.3f}  ratio {total['ratio']:.3f}"
                )
                if "longer" in row:
                    ratio = row["longer"]["totals"][setting]["ratio"]
                    line += f", after {row['longer']['steps']:,} steps {ratio:.3f}"
                print(line)
    if options.squeezenet:
        judge = SqueezeNet(options.squeezenet)
        found = diversity(stylizer, judge, photographs, options.draws)
        results["diversity"] = {**found, "fixed network": 0.0}
        print(
            "mean perceptual distance: random coefficients "
            f"{found['coefficients']:.3f}, random styles {found['styles']:.3f}, "
            "a fixed network 0"
        )
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=2) + "\n")
    if not options.points:
        return
    sheet = picture_of_dials(stylizer, photograph(), options.picture_style)
    write_image(options.results.with_suffix(".jpg"), sheet)
    sheet = picture_of_styles(stylizer, photograph())
    write_image(options.results.with_name("stylization_styles.jpg"), sheet)


if __name__ == "__main__":
    main()
