"""Grids of samples, of reconstructions and of ways between them, as picture files.

An animation shows a row or a column of the grid after the other: the settings of the
dial, or the pictures on a way through the latents.
"""

import dataclasses
import math

import numpy as np

from yoto_tf import zoo
from yoto_tf.data import write_image
from yoto_tf.data.animations import SUFFIXES as ANIMATED
from yoto_tf.data.animations import write_animation
from yoto_tf.errors import DataError
from yoto_tf.imaging.grids import grid
from yoto_tf.machine.outputs import check_output
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.pairing import PICTURES, Kind
from yoto_tf.zoo.vae.pictures import load_pictures

# The one whose samples show something along the whole dial, and the one of photographs.
SAMPLED = "vae-shapes"
RECONSTRUCTED = "vae-cifar10"
SETTINGS = 7
_ANIMATIONS = Kind(ANIMATED, "the suffix of an animation, .gif or .webp")
# From so many samples a model tells which of its latents it uses.
_SAMPLES = 64


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
    target,
    model=SAMPLED,
    coefficients=None,
    number=None,
    settings=SETTINGS,
    seed=0,
    traverse=0,
    animate=False,
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
        traverse: how many latents to go through, those that carry most; a row for each
            and each setting, see `VAE.traverse`. With 0 pictures are drawn instead.
        animate: writes a `.gif` or `.webp` that shows one setting, or one place on
            the way, after the other.

    Returns:
        A `GridReport`.

    Raises:
        DataError: the file cannot be written, the number is below 1, or there are not
            so many latents.
        CoefficientError: a coefficient that is unknown or out of range.
        RecipeError: no such model.
    """
    _check_target(target, animate)
    vae = _load(model)
    if number is None:
        number = 64 if coefficients and not traverse else 12
    dial = [coefficients] if coefficients else vae.settings(settings)
    if traverse:
        random = np.random.default_rng(seed)
        latents = random.standard_normal(vae.model.latents)
        drawn = [vae.sample(_SAMPLES, seed, **setting) for setting in dial]
        starts = [latents] * len(dial)
        rows, labels = _traversals(vae, dial, drawn, starts, traverse, number)
        _write_way(target, rows, labels, animate)
    else:
        rows = [vae.sample(number, seed, **setting) for setting in dial]
        _write_settings(target, rows, dial, animate)
    return GridReport(str(model), str(target), dial, number)


def write_reconstructions(
    source,
    target,
    model=RECONSTRUCTED,
    coefficients=None,
    number=12,
    settings=SETTINGS,
    interpolate=False,
    traverse=0,
    animate=False,
):
    """Encodes and decodes pictures into one file: the originals, and a row for each β.

    Args:
        source: a picture file, a folder, a glob or `tfds:NAME[:SPLIT]`; pictures are
            cropped and resampled to the size of the network's.
        target: the picture file to write.
        model: a pretrained name or the directory of a release.
        coefficients: {"kl": β}, or None for the whole dial.
        number: how many pictures at most, the first ones; or how many on a way.
        settings: how many rows there are without coefficients, ≥ 2.
        interpolate: goes from the first picture to the second instead, a row for each
            setting, see `VAE.interpolate`.
        traverse: how many latents of the first picture to go through instead, those
            that carry most; see `write_samples`.
        animate: see `write_samples`.

    Returns:
        A `GridReport`.

    Raises:
        DataError: a picture cannot be read, there is none, the file cannot be written,
            there are not so many latents, or both ways are asked for.
        CoefficientError: a coefficient that is unknown or out of range.
        RecipeError: no such model.
    """
    _check_target(target, animate, [source])
    if number < 1:
        raise DataError(f"expected at least 1 picture to reconstruct, got {number}")
    if interpolate and traverse:
        raise DataError("expected one way through the latents: interpolate or traverse")
    vae = _load(model)
    dial = [coefficients] if coefficients else vae.settings(settings)
    if interpolate or traverse:
        images = load_pictures(source, vae.model.image_shape, 2 if interpolate else 1)
        if interpolate:
            rows = _interpolations(vae, source, images, dial, number)
            labels = _labels(dial)
        else:
            starts = [vae.encode(images, **setting)[0][0] for setting in dial]
            given = [images] * len(dial)
            rows, labels = _traversals(vae, dial, given, starts, traverse, number)
        _write_way(target, rows, labels, animate)
    else:
        images = load_pictures(source, vae.model.image_shape, number)
        number = len(images)
        rows = [vae.reconstruct(images, **setting) for setting in dial]
        if animate:
            _write_settings(target, rows, dial, animate)
        else:
            write_image(target, grid([images, *rows], ["original", *_labels(dial)]))
    return GridReport(str(model), str(target), dial, number)


def _check_target(target, animate, inputs=()):
    kind = _ANIMATIONS if animate else PICTURES
    check_output(target, kind.suffixes, kind.expected, inputs, PICTURES.suffixes)


def _interpolations(vae, source, images, dial, number):
    """[R, number, H, W, C] between two pictures."""
    if len(images) < 2:
        raise DataError(f"expected two pictures to go between, {source} is one")
    return [vae.interpolate(*images, number, **setting) for setting in dial]


def _traversals(vae, dial, images, latents, count, number):
    """The rows of the latents that carry most, and their labels.

    Args:
        vae: a `VAE`.
        dial: its settings.
        images: for each setting, pictures [N, H, W, C] to see what latents carry.
        latents: for each setting, where the others stay, [D].
        count: how many latents.
        number: pictures in a row.

    Raises:
        DataError: there are not so many latents.
    """
    if not 1 <= count <= vae.model.latents:
        raise DataError(
            f"expected 1 to {vae.model.latents} latents to traverse, got {count}"
        )
    carried = sum(
        vae.information(pictures, **setting)
        for pictures, setting in zip(images, dial, strict=True)
    )
    chosen = np.argsort(-carried, kind="stable")[:count]
    rows = [
        vae.traverse(start, index, number, **setting)
        for index in chosen
        for start, setting in zip(latents, dial, strict=True)
    ]
    if len(dial) == 1:
        return rows, [f"latent {index}" for index in chosen]
    return rows, [
        f"latent {index}, {label}" for index in chosen for label in _labels(dial)
    ]


def _write_settings(target, rows, dial, animate):
    """Writes what each setting gives: rows of a grid, a square, or frames."""
    if animate:
        # The label belongs to the first row of each square.
        squares = [_square(row) for row in rows]
        frames = [
            grid(square, [label, *[""] * (len(square) - 1)])
            for square, label in zip(squares, _labels(dial), strict=True)
        ]
        write_animation(target, frames)
    elif len(dial) > 1:
        write_image(target, grid(rows, _labels(dial)))
    else:
        write_image(target, grid(_square(rows[0])))


def _write_way(target, rows, labels, animate):
    """Writes rows [R, N, H, W, C] as a grid, or as frames of a column each."""
    if animate:
        columns = np.swapaxes(np.asarray(rows), 0, 1)
        write_animation(target, [grid(column[:, None], labels) for column in columns])
    else:
        write_image(target, grid(rows, labels))


def _load(model):
    loaded = zoo.load(model)
    check_family(model, loaded.release, "vae")
    return loaded


def _labels(dial):
    return [f"β = {setting['kl']:.3g}" for setting in dial]


def _square(images):
    """[N, H, W, C] to [R, N', H, W, C] about as high as wide; white fills it up."""
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    missing = rows * columns - len(images)
    white = np.full((missing, *images.shape[1:]), 255, "uint8")
    return np.concatenate([images, white]).reshape(rows, columns, *images.shape[1:])
