"""What a β-VAE reaches on a set of pictures, over the dial."""

import dataclasses

from yoto_tf.data import Examples
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.machine.progress import progress_bar
from yoto_tf.tradeoff import Sweep, sweep
from yoto_tf.zoo.vae.evidence import Evidence
from yoto_tf.zoo.vae.pictures import load_pictures

# From 1/8 to 512 these are the powers of two, the paper's grid.
SETTINGS = 13
# Of each picture's posterior, for the importance-weighted bound.
SAMPLES = 16
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """What was measured at several trade-offs, averaged over pictures.

    Attributes:
        model: name or directory of the VAE.
        data: the SPEC of the pictures.
        pictures: how many they are.
        samples: of each picture's posterior, for the importance-weighted bound.
        sweep: the terms, in nats a picture: `kl` and `reconstruction`. Its metrics are
            what `Evidence.measure` finds.
    """

    model: str
    data: str
    pictures: int
    samples: int
    sweep: Sweep

    def table(self):
        """Rows of strings, the first of them the head."""
        rows = [
            (
                f"{row['kl_coefficient']:g}",
                f"{row['kl']:.2f}",
                f"{row['reconstruction']:.1f}",
                f"{row['total']:.1f}",
                f"{row['active_units']}",
                f"{row['importance_weighted']:.1f}",
                f"{row['bits_per_dimension']:.3f}",
            )
            for row in self.sweep.table()
        ]
        head = ("β", "KL (nats)", "reconstruction (nats)", "full loss", "active units")
        return [(*head, "bound on −log p(x) (nats)", "bits per dimension"), *rows]

    def to_dict(self):
        """A dict that `json.dump` takes."""
        return dataclasses.asdict(self)

    def plot(self, path):
        """Draws the reconstruction over the KL to a .png, .svg or .pdf file.

        Raises:
            DataError: the file cannot be written.
        """
        labels = ("KL (nats)", "reconstruction loss (nats)", "β")
        self.sweep.plot(path, "kl", "reconstruction", labels=labels)


def evaluate(vae, spec, model="vae-cifar10", settings=SETTINGS, samples=SAMPLES):
    """Measures a network at settings spread over the dial.

    Args:
        vae: a `VAE`.
        spec: `tfds:NAME[:SPLIT]`, a folder, a glob or a file.
        model: what to call the VAE in the result.
        settings: how many, evenly spaced in log β, the ends of its range included.
        samples: of each picture's posterior, for the importance-weighted bound.

    Returns:
        An `Evaluation`. The reconstruction is that of one sample of the latents for
        each picture.

    Raises:
        DataError: there are no pictures, or one of them cannot be read.
    """
    network = vae.model
    images = load_pictures(spec, network.image_shape)
    examples = Examples({"image": images}, _BATCH, shuffle=False)
    conditional = LossConditionalModel(network, network.loss_terms, vae.coefficients)
    grid = vae.coefficients.grid(settings)
    points = sweep(conditional, examples, grid)
    evidence = Evidence(network)
    metrics = [
        evidence.measure(images, vector, samples)
        for vector in progress_bar(grid, unit="setting", leave=False)
    ]
    points = dataclasses.replace(points, metrics=metrics)
    return Evaluation(str(model), str(spec), len(images), samples, points)
