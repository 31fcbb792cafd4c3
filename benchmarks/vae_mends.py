"""What makes one β-VAE for every β as good as a network for each: mends compared.

    TFDS_DATA_DIR=… python benchmarks/vae_mends.py --steps 4000 --seeds 0
    TFDS_DATA_DIR=… python benchmarks/vae_mends.py --mends plain weights+lora …

trains, for every mend and seed, the network with a dial and dedicated networks at five
β, all for as many steps, and measures them on test pictures:

- `plain`: FiLM after every second convolution, β log-uniform;
- `weights`: the loss of each example divided by √β (`normalize_weights`);
- `living`: β drawn from a law whose density falls linearly in log β, from the lowest β
  to zero at the highest, where all latents are dead;
- `annealed`: β drawn near the middle at first and mostly near the ends at last
  (`Annealed`);
- `deviation`: a Gaussian likelihood with one deviation for all pixels, learned as a
  function of β: the shared σ of σ-VAE (Rybkin et al., ICML 2021). A batch has many β,
  so that no σ of a batch is optimal for all of it;
- `gate`: gates affine in log β on every layer in place of FiLM (MR-VAE, Bae et al.,
  ICLR 2023);
- `lora`: updates of rank 4 of every kernel in place of FiLM;
- `bits`: free bits (Kingma et al., NeurIPS 2016), 0.1 nats of β · KL for each latent:
  below that the KL of a latent costs nothing in training.

`weights+lora` has both. A dedicated network has the same mend where it means something
for one β, which is so for `deviation` and `bits`. The others share the networks of
`plain`: one β has no law, its FiLM, gates and updates are constants, and √β is a
constant factor, which Adam takes out.

A difference is the full loss β · KL + reconstruction of the network with the dial less
that of the dedicated one, in nats a value of a picture; and as a share of

    gap(β) = full loss of the collapsed network − full loss of the dedicated network

where the collapsed network's KL is zero and its picture is the best constant: the mean
training picture, with its deviation for `deviation`. Where the gap is below 0.001 nats
a value all is collapsed, and there is no share.

Trainings are kept below `--workdir`: called again, the script carries on. It prints a
table and writes `results/vae_mends_DATA.json` whenever a mend is measured.
"""

import argparse
import dataclasses
import json
import logging
import math
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from keras import layers, ops

from yoto_tf.annealing import Annealed
from yoto_tf.conditioning import condition
from yoto_tf.data import Examples
from yoto_tf.distributions import LogUniform
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.vae.conv_vae import ConvVAE
from yoto_tf.zoo.vae.evidence import active_units
from yoto_tf.zoo.vae.likelihoods import EPSILON, LIKELIHOODS
from yoto_tf.zoo.vae.pictures import load_pictures
from yoto_tf.zoo.vae.recipe import VAERecipe

RESULTS = Path(__file__).parent / "results"
FIXED_KL = (0.125, 1.0, 8.0, 64.0, 512.0)
MENDS = (
    *("plain", "weights", "living", "annealed"),
    *("deviation", "gate", "lora", "bits"),
)
# Those that change a network for one β.
_OF_ONE_BETA = {"deviation", "bits"}
_FREE_NATS = 0.1
_LEAST_GAP = 0.001


class LogTriangular(LogUniform):
    """A density that falls linearly in log x, to zero at `high`.

    Only what is drawn differs from `LogUniform`: grids stay even in log β.
    """

    def sample(self, shape, seed):
        drawn = keras.random.uniform(shape, dtype="float32", seed=seed)
        return self.place(1.0 - ops.sqrt(drawn))


class SharedDeviation(ConvVAE):
    """A `ConvVAE` whose Gaussian has one deviation for all pixels, a function of β."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # As in `CoefficientEmbedding`, biases let it bend anywhere on the dial.
        bias = keras.initializers.RandomNormal(stddev=1.0)
        self.hidden_deviation = layers.Dense(32, "tanh", bias_initializer=bias)
        self.log_deviation = layers.Dense(1, kernel_initializer="zeros")

    def build(self, input_shape=None):
        super().build(input_shape)
        self.hidden_deviation.build((None, len(self.coefficients)))
        self.log_deviation.build((None, self.hidden_deviation.units))

    def decode(self, latents, embedding):
        outputs = super().decode(latents, embedding)
        logarithm = self.log_deviation(self.hidden_deviation(embedding))
        scale = ops.exp(ops.reshape(logarithm, (-1, 1, 1, 1))) + EPSILON
        ones = ops.ones_like(outputs["reconstruction"])
        return {**outputs, "reconstruction_scale": scale * ones}


class Sampling(layers.Layer):
    """The two halves of [B, 2D] to the posterior and a sample, each [B, D]."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, numbers):
        mean, scale = ops.split(numbers, 2, axis=-1)
        scale = ops.softplus(scale) + EPSILON
        noise = keras.random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean, scale, mean + scale * noise


class Pixels(layers.Layer):
    """The likelihood's numbers to the outputs that describe pixels."""

    def __init__(self, likelihood, **kwargs):
        super().__init__(**kwargs)
        self.likelihood = likelihood

    def call(self, numbers):
        return LIKELIHOODS[self.likelihood].outputs(numbers)

    def get_config(self):
        return {**super().get_config(), "likelihood": self.likelihood}


def functional(network):
    """A `ConvVAE` without conditioning as a functional model, which has its layers."""
    encoder, decoder = network.encoder, network.decoder
    for part in (encoder, decoder):
        _rename(part.name, part.hidden, part.activation)
        for block in part.blocks:
            name = f"{part.name}_{block.name}"
            _rename(name, block.first, block.second, block.activation)

    def through(blocks, features):
        for block in blocks:
            features = block.second(block.activation(block.first(features)))
            features = block.activation(features) if block.activated else features
        return features

    image = keras.Input(network.image_shape, name="image")
    features = through(encoder.blocks, layers.Rescaling(2.0, -1.0)(image))
    features = encoder.activation(encoder.hidden(encoder.flatten(features)))
    mean, scale, latents = Sampling()(encoder.posterior(features))
    features = decoder.features(decoder.activation(decoder.hidden(latents)))
    features = layers.Reshape(decoder.inner_shape)(features)
    numbers = decoder.likelihood(through(decoder.blocks, features))
    outputs = {"posterior_mean": mean, "posterior_scale": scale}
    return keras.Model(image, {**outputs, **Pixels(network.likelihood)(numbers)})


def _rename(prefix, *layers_of_one):
    """Gives layers names that no other has."""
    for layer in layers_of_one:
        layer.name = f"{prefix}_{layer.name}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class MendedRecipe(VAERecipe):
    """A `VAERecipe` with some of `MENDS`."""

    mends: tuple[str, ...] = ()

    def law(self):
        law = super().law()
        if "living" in self.mends:
            law = LogTriangular(law.low, law.high)
        return Annealed(law) if "annealed" in self.mends else law

    def network(self, coefficients):
        network = super().network(coefficients)
        if "deviation" in self.mends:
            config = {**network.get_config(), "likelihood": "gaussian"}
            return SharedDeviation(**{**config, "coefficients": coefficients})
        [how] = {"gate", "lora"} & {*self.mends} or {None}
        if how is None or self.fixed is not None:
            return network
        config = {**network.get_config(), "film_units": None}
        plain = ConvVAE(**{**config, "coefficients": coefficients})
        plain.build()
        return condition(functional(plain), coefficients, how=how)

    def measured_terms(self):
        """The loss terms as they are measured, without free bits."""
        if "deviation" in self.mends:
            return LIKELIHOODS["gaussian"].terms
        return super().loss_terms()

    def loss_terms(self):
        terms = self.measured_terms()
        if "bits" not in self.mends:
            return terms

        def with_free_bits(inputs, outputs, coefficients):
            mean, scale = outputs["posterior_mean"], outputs["posterior_scale"]
            latents = ops.square(mean) + ops.square(scale) - 1 - 2 * ops.log(scale)
            free = ops.expand_dims(_FREE_NATS / coefficients["kl"], -1)
            kl = ops.sum(ops.maximum(0.5 * latents, free), axis=-1)
            return {**terms(inputs, outputs), "kl": kl}

        return with_free_bits


def mended(recipe, name):
    """The recipe of a mend, or of several joined by `+`."""
    mends = tuple(sorted(name.split("+")))
    fields = {
        field.name: getattr(recipe, field.name) for field in dataclasses.fields(recipe)
    }
    fields["normalize_weights"] = "weights" in mends
    return MendedRecipe(**{**fields, "mends": mends})


def dedicated(recipe, beta):
    """The recipe of the network for one β, with what means something for it."""
    mends = tuple(mend for mend in recipe.mends if mend in _OF_ONE_BETA)
    return dataclasses.replace(
        recipe, fixed=(beta,), mends=mends, normalize_weights=False
    )


def measure(recipe, images, betas, workdir):
    """Trains a network and measures it.

    Args:
        recipe: a `MendedRecipe`.
        images: uint8 [N, H, W, C] to measure it on.
        betas: where.
        workdir: folder of the training.

    Returns:
        A dict of lists over β: "total", "kl" and "active_units".
    """
    trained = engine.train(recipe, None, workdir, resume=True)
    network = trained.model.network
    model = LossConditionalModel(
        network, recipe.measured_terms(), trained.model.coefficients
    )
    grid = np.reshape(betas, (-1, 1))
    data = Examples({"image": images}, batch_size=500, shuffle=False)
    points = sweep(model, data, grid)
    units = []
    for beta in betas:
        # The random sample, which is drawn too, is not looked at.
        outputs = model.predict_at(
            {"image": images / np.float32(255)}, batch_size=500, kl=beta
        )
        units.append(active_units(outputs["posterior_mean"]))
    return {
        "total": points.totals().tolist(),
        "kl": [terms["kl"] for terms in points.terms],
        "active_units": units,
        "parameters": network.count_params(),
        "seconds": trained.seconds,
    }


def collapsed(recipe, train_images, images):
    """The full loss of a network without latents, in nats a picture.

    Args:
        recipe: a `MendedRecipe`.
        train_images: uint8 [N, H, W, C], whose mean is the picture.
        images: uint8 [M, H, W, C] to measure it on.
    """
    train, test = train_images / np.float32(255), images / np.float32(255)
    mean = train.mean(axis=0, dtype="float64")
    if "deviation" in recipe.mends or recipe.likelihood == "gaussian":
        axis = None if "deviation" in recipe.mends else 0
        variance = np.mean(np.square(train - mean), axis=axis) + EPSILON**2
        # As for the loss, in [−1, 1].
        nats = 0.5 * (np.square(test - mean) / variance + np.log(8 * np.pi * variance))
    else:
        # A pixel that is black in all training pictures may be grey in another.
        mean = np.clip(mean, 0.5 / len(train), 1 - 0.5 / len(train))
        nats = -test * np.log(mean) - (1 - test) * np.log(1 - mean)
    return float(nats.sum(axis=(1, 2, 3)).mean())


def compared(one, fixed, floor, values):
    """What the dial loses, as means over seeds.

    Args:
        one: the full losses of the network with a dial, [seeds, β], nats a picture.
        fixed: those of the dedicated networks, likewise.
        floor: that of the collapsed network.
        values: how many a picture has.

    Returns:
        {"nats_per_value": list over β; "share_of_gap": list over β, None without a gap;
        "mean_share": over the β that have one, None if none has; "spread": of
        `mean_share` over seeds, the largest less the smallest, likewise}.
    """
    one, fixed = np.asarray(one), np.asarray(fixed)
    gap = floor - fixed.mean(axis=0)
    alive = gap > _LEAST_GAP * values
    shares = (one - fixed)[:, alive] / gap[alive]
    found = iter(np.mean(shares, axis=0).tolist())
    means = shares.mean(axis=1) if alive.any() else None
    return {
        "nats_per_value": ((one - fixed).mean(axis=0) / values).tolist(),
        "share_of_gap": [next(found) if some else None for some in alive],
        "mean_share": None if means is None else float(means.mean()),
        "spread": None if means is None else float(np.ptp(means)),
    }


def _or_last(share):
    return math.inf if share is None else share


def table(report):
    """The comparison as Markdown, the best mend first."""
    betas = [f"{beta:g}" for beta in report["betas"]]
    lines = [
        "| mend | " + " | ".join(f"β = {beta}" for beta in betas) + " | mean share |",
        "|" + "---|" * (len(betas) + 2),
    ]
    shares = {name: found["mean_share"] for name, found in report["mends"].items()}
    for name in sorted(shares, key=lambda name: _or_last(shares[name])):
        found, cells = report["mends"][name], []
        both = zip(found["nats_per_value"], found["share_of_gap"], strict=True)
        for nats, share in both:
            cells.append(
                f"{nats:+.4f}" + ("" if share is None else f", {100 * share:+.1f} %")
            )
        mean = "" if shares[name] is None else f"{100 * shares[name]:+.1f} %"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {mean} |")
    return "\n".join(lines)


def run(recipe, names, seeds, betas, evaluation, workdir):
    """Yields the report after each mend."""
    images = load_pictures(evaluation, recipe.image_shape)
    train_images = load_pictures(recipe.data, recipe.image_shape)
    values = math.prod(recipe.image_shape)
    report = {
        "steps": recipe.steps,
        "batch_size": recipe.batch_size,
        "width": recipe.width,
        "seeds": list(seeds),
        "data": recipe.data,
        "evaluation": evaluation,
        "betas": list(betas),
        "values": values,
        "mends": {},
    }
    measured = {}

    def result(recipe, at):
        # Mends share the trainings that they do not change.
        beta = "one" if recipe.fixed is None else f"fixed-{recipe.fixed[0]:g}"
        mends = "+".join(recipe.mends) or "plain"
        folder = workdir / f"seed-{recipe.seed}" / mends / beta
        if folder not in measured:
            measured[folder] = measure(recipe, images, at, folder)
            print(f"{folder}: {measured[folder]['total']}", flush=True)
        return measured[folder]

    for name in names:
        mend = mended(recipe, name)
        seeded = [dataclasses.replace(mend, seed=seed) for seed in seeds]
        ones = [result(one, betas) for one in seeded]
        fixed = [
            [result(dedicated(one, beta), [beta]) for beta in betas] for one in seeded
        ]
        floor = collapsed(mend, train_images, images)
        totals = [[each["total"][0] for each in row] for row in fixed]
        report["mends"][name] = {
            **compared([one["total"] for one in ones], totals, floor, values),
            "collapsed_nats": floor,
            "one": ones,
            "fixed": fixed,
        }
        yield report


def _known(name):
    if {*name.split("+")} <= {*MENDS}:
        return name
    raise argparse.ArgumentTypeError(
        f"expected mends among {', '.join(MENDS)}, got {name}"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--recipe", default="vae/mnist")
    parser.add_argument("--mends", nargs="+", type=_known, default=MENDS)
    parser.add_argument("--steps", type=int, help="of every network")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--fixed-kl", type=float, nargs="+", default=FIXED_KL)
    parser.add_argument("--data", help="training pictures, by default the recipe's")
    parser.add_argument("--evaluation", default="tfds:mnist:test")
    parser.add_argument("--set", nargs="+", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--workdir", type=Path, default=Path("runs/vae-mends"))
    parser.add_argument("--results", type=Path)
    options = parser.parse_args(arguments)
    # Every network is traced by itself: nothing is wrong with that.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    recipe = override(load_recipe(options.recipe), options.set)
    given = {"steps": options.steps, "data": options.data}
    given = {name: value for name, value in given.items() if value is not None}
    recipe = dataclasses.replace(recipe, **given)
    path = options.results
    if path is None:
        path = RESULTS / f"vae_mends_{options.recipe.rpartition('/')[-1]}.json"
    for report in run(
        recipe,
        options.mends,
        options.seeds,
        options.fixed_kl,
        options.evaluation,
        options.workdir,
    ):
        report = {"recipe": options.recipe, "settings": options.set, **report}
        write_atomically(path, (json.dumps(report, indent=2) + "\n").encode())
    print(table(report))


if __name__ == "__main__":
    main()
