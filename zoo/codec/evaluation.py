"""What a codec reaches on a set of pictures: real files, decoded 8-bit pictures."""

import dataclasses
import io
import math
from pathlib import Path

import numpy as np

from yoto_tf.data import image_files, images_from_tfds, read_image
from yoto_tf.data.sources import is_tfds
from yoto_tf.errors import DataError
from yoto_tf.imaging.metrics import bits_per_pixel, ms_ssim, ms_ssim_db, psnr
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.machine.progress import progress_bar

SETTINGS = 8


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """Rates and qualities of pictures at several trade-offs.

    Attributes:
        model: name or directory of the codec.
        data: the SPEC of the pictures.
        images: a dict for each picture: "name", "width", "height", and "points", a list
            with, for each setting, "distortion", "bytes", "bits_per_pixel", "psnr" (dB,
            None where nothing was lost) and "ms_ssim" (None for a picture with a side
            below 161 pixels).
    """

    model: str
    data: str
    images: list[dict]

    @property
    def mean(self):
        """The points averaged over the pictures; None where a picture has no value."""
        settings = zip(*(image["points"] for image in self.images), strict=True)
        return [
            {name: _mean([point[name] for point in points]) for name in points[0]}
            for points in settings
        ]

    def table(self):
        """The means as rows of strings, the first of them the head."""
        head = ("distortion", "bytes", "bits/pixel", "PSNR (dB)", "MS-SSIM")
        rows = [
            (
                f"{point['distortion']:.4f}",
                f"{point['bytes']:,.0f}",
                f"{point['bits_per_pixel']:.4f}",
                "–" if point["psnr"] is None else f"{point['psnr']:.2f}",
                "–" if point["ms_ssim"] is None else f"{point['ms_ssim']:.4f}",
            )
            for point in self.mean
        ]
        return [head, *rows]

    def to_dict(self):
        """A dict that `json.dump` takes."""
        return {**dataclasses.asdict(self), "mean": self.mean}

    def plot(self, path):
        """Draws PSNR and MS-SSIM over the rate: each picture, and the mean.

        Args:
            path: the picture to write: .png, .svg or .pdf.

        Raises:
            DataError: the file cannot be written.
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(11, 4.5), layout="constrained")
        panels = zip(
            figure.subplots(1, 2),
            ("psnr", "ms_ssim"),
            ("PSNR (dB)", "MS-SSIM, −10 log₁₀(1 − x) (dB)"),
            strict=True,
        )
        for axes, name, label in panels:
            for image in self.images:
                axes.plot(*_curve(image["points"], name), color="0.8", linewidth=0.8)
            axes.plot(*_curve(self.mean, name), "o-", label=f"{self.model}, mean")
            axes.set(xlabel="bits per pixel", ylabel=label)
            axes.grid(alpha=0.3)
            axes.legend(loc="lower right")
        content = io.BytesIO()
        figure.savefig(content, format=Path(path).suffix[1:], dpi=120)
        write_atomically(path, content.getvalue())


def evaluate(codec, spec, model="codec", settings=SETTINGS):
    """Compresses and decodes every picture at settings spread over the dial.

    Args:
        codec: a `Codec`.
        spec: a folder, glob or file, or `tfds:NAME[:SPLIT]`.
        model: what to call the codec in the result.
        settings: how many, evenly spaced in log λ, the ends of its range included.

    Returns:
        An `Evaluation`.

    Raises:
        DataError: there are no pictures, or one of them cannot be read.
    """
    dial = codec.settings(settings)
    total = None if is_tfds(spec) else len(image_files(spec))
    images = []
    for name, image in progress_bar(_pictures(spec), total=total, unit="picture"):
        images.append({"name": name, **measured(codec, image, dial)})
    return Evaluation(model, str(spec), images)


def measured(codec, image, dial):
    """What a codec reaches on one picture.

    Args:
        codec: a `Codec`.
        image: uint8 [H, W, 3].
        dial: its settings, see `Codec.settings`.

    Returns:
        {"width", "height", "points"}, see `Evaluation`.
    """
    points = [_point(codec, image, setting) for setting in dial]
    height, width = image.shape[:2]
    return {"width": width, "height": height, "points": points}


def _point(codec, image, setting):
    data = codec.compress(image, **setting)
    decoded = codec.decompress(data)
    quality = psnr(image, decoded)
    try:
        similarity = ms_ssim(image, decoded)
    except DataError:
        similarity = None
    return {
        **setting,
        "bytes": len(data),
        "bits_per_pixel": bits_per_pixel(len(data), *image.shape[:2]),
        "psnr": quality if math.isfinite(quality) else None,
        "ms_ssim": similarity,
    }


def _pictures(spec):
    """Yields name and uint8 [H, W, 3]."""
    if is_tfds(spec):
        for index, image in enumerate(images_from_tfds(spec)):
            yield str(index), np.ascontiguousarray(image)
    else:
        for path in image_files(spec):
            yield path.name, read_image(path)


def _mean(values):
    return None if None in values else float(np.mean(values))


def _curve(points, name):
    """Rates and qualities to plot, without the points that lack the quality."""
    known = [point for point in points if point[name] is not None]
    rates = [point["bits_per_pixel"] for point in known]
    qualities = [point[name] for point in known]
    if name == "ms_ssim":
        qualities = [ms_ssim_db(quality) for quality in qualities]
    return rates, qualities
