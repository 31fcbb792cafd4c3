"""Grids of samples and of reconstructions, written as picture files."""

import dataclasses
import math

import numpy as np

from yoto_tf import zoo
from yoto_tf.data import write_image
from yoto_tf.errors import DataError
from yoto_tf.imaging.grids import grid
from yoto_tf.machine.outputs import check_output
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.pairing import PICTURES
from yoto_tf.zoo.vae.pictures import load_pictures

MODEL = "vae-cifar10"
SETTINGS = 7


@dataclasses.dataclass(frozen=True)
class GridReport:
    """What was written.

    Attributes:
        model: name or directory of the VAE.
        output: the file.
        settings: {coefficient: value} of each setting, in the order of the rows.
        pictures: how many pictures at each setting.
    """

    model: str
    output: str
    settings: list[dict[str, float]]
    pictures: int

    def to_dict(self):
        """A dict that `json.dump` takes."""
        return dataclasses.asdict(self)


def write_samples(
    target, model=MODEL, coefficients=None, number=None, settings=SETTINGS, seed=0
):
    """Draws pictures into one file.

    At one β they fill a square. Without it every row is another β, from the smallest to
    the largest, and every column the same latents.

    Args:
        target: the picture file to write, such as `out.png`.
        model: a pretrained name or the directory of a release.
        coefficients: {"kl": β}, or None for a row each.
        number: how many at each setting; by default 64 at one, 12 in a row.
        settings: how many rows there are without coefficients, ≥ 2.
        seed: integer ≥ 0, see `VAE.sample`.

    Returns:
        A `GridReport`.

    Raises:
        DataError: the file cannot be written, or the number is below 1.
        CoefficientError: a coefficient that is unknown or out of range.
        RecipeError: no such model.
    """
    check_output(target, PICTURES.suffixes, PICTURES.expected)
    vae = _load(model)
    if number is None:
        number = 64 if coefficients else 12
    dial = [coefficients] if coefficients else vae.settings(settings)
    rows = [vae.sample(number, seed, **setting) for setting in dial]
    if coefficients:
        write_image(target, grid(_square(rows[0])))
    else:
        write_image(target, grid(rows, _labels(dial)))
    return GridReport(str(model), str(target), dial, number)


def write_reconstructions(
    source, target, model=MODEL, coefficients=None, number=12, settings=SETTINGS
):
    """Encodes and decodes pictures into one file: the originals, and a row for each β.

    Args:
        source: a picture file, a folder, a glob or `tfds:NAME[:SPLIT]`; pictures are
            cropped and resampled to the size of the network's.
        target: the picture file to write.
        model: a pretrained name or the directory of a release.
        coefficients: {"kl": β}, or None for the whole dial.
        number: how many pictures at most, the first ones.
        settings: how many rows there are without coefficients, ≥ 2.

    Returns:
        A `GridReport`.

    Raises:
        DataError: a picture cannot be read, there is none, or the file cannot be
            written.
        CoefficientError: a coefficient that is unknown or out of range.
        RecipeError: no such model.
    """
    kind = PICTURES
    check_output(target, kind.suffixes, kind.expected, [source], kind.suffixes)
    if number < 1:
        raise DataError(f"expected at least 1 picture to reconstruct, got {number}")
    vae = _load(model)
    images = load_pictures(source, vae.model.image_shape, number)
    dial = [coefficients] if coefficients else vae.settings(settings)
    rows = [images, *(vae.reconstruct(images, **setting) for setting in dial)]
    write_image(target, grid(rows, ["original", *_labels(dial)]))
    return GridReport(str(model), str(target), dial, len(images))


def _load(model):
    loaded = zoo.load(model)
    check_family(model, loaded.release, "vae")
    return loaded


def _labels(dial):
    return [f"β = {setting['kl']:g}" for setting in dial]


def _square(images):
    """[N, H, W, C] to [R, N', H, W, C] about as high as wide; white fills it up."""
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    missing = rows * columns - len(images)
    white = np.full((missing, *images.shape[1:]), 255, "uint8")
    return np.concatenate([images, white]).reshape(rows, columns, *images.shape[1:])
