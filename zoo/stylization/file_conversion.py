"""One picture, animation or video to its stylised one."""

import contextlib
import dataclasses
import math
from hashlib import sha256

import numpy as np

from yoto_tf.data.images import (
    WITH_ALPHA,
    format_to_write,
    read_image_and_alpha,
    write_image,
)
from yoto_tf.errors import DataError
from yoto_tf.zoo.pairing import PICTURES, Kind
from yoto_tf.zoo.stylization.animation import (
    SUFFIXES,
    convert_animation,
    is_animation,
)
from yoto_tf.zoo.stylization.stroke import AUTO, as_stroke, size_to_paint, stroke_in
from yoto_tf.zoo.stylization.video import SUFFIXES as VIDEO_SUFFIXES
from yoto_tf.zoo.stylization.video import convert_video, is_video

VIDEOS = Kind(VIDEO_SUFFIXES, "a video suffix such as .mp4")


class FileStylizer:
    """Stylises files, one a call.

    Args:
        stylizer: a `Stylizer`.
        setting: of it, see `Stylizer.setting`.
        precision: of it, see `Stylizer`.
        once: whether there is one file only, see `run_once`.
        stroke: see `Stylizer.stylize`.
        **how: what else `Stylizer.stylize` takes.

    Raises:
        CoefficientError: no such stroke.
    """

    def __init__(
        self,
        stylizer,
        setting,
        precision="float32",
        once=False,
        *,
        stroke=AUTO,
        **how,
    ):
        self._stylizer, self._setting = stylizer, setting
        self._precision, self._once = precision, once
        self._stroke = as_stroke(stroke)
        self._how = {"stroke": self._stroke, **how}

    def __call__(self, path, output):
        """Stylises a file, by its kind.

        Args:
            path: what to read.
            output: what to write, whose folder is made if need be.

        Returns:
            {"input", "output", "style", "coefficients", "stroke"}, the stroke as a
            number, or "auto" for a film that an earlier run has painted.

        Raises:
            DataError: it cannot be read, stylised or written.
        """
        output.parent.mkdir(parents=True, exist_ok=True)
        stroke = self._stroke

        def stylize(image):
            nonlocal stroke
            stroke = round(stroke_in(self._stroke, *image.shape[:2]), 3)
            try:
                return self._stylizer.stylize(
                    image,
                    self._setting.style,
                    **self._how,
                    **self._setting.coefficients,
                )
            except DataError as error:
                raise DataError(f"{path}: {error}") from error

        if is_video(path) != is_video(output):
            kind = VIDEOS if is_video(path) else PICTURES
            raise DataError(
                f"cannot write {path} to {output}: expected {kind.expected}"
            )
        if is_video(path):
            convert_video(path, output, stylize, self._job())
        elif output.suffix.lower() in SUFFIXES and is_animation(path):
            convert_animation(path, output, stylize)
        else:
            self._convert_picture(path, output, stylize)
        return {
            "input": str(path),
            "output": str(output),
            **dataclasses.asdict(self._setting),
            "stroke": stroke,
        }

    def _job(self):
        """What a film is made with, by which one that was interrupted is known."""
        mask = self._how.get("mask")
        if mask is not None:
            mask = sha256(mask.tobytes()).hexdigest()
        return {
            "model": self._stylizer.release.id.hex(),
            **dataclasses.asdict(self._setting),
            "precision": self._precision,
            **self._how,
            "mask": mask,
        }

    def _convert_picture(self, path, output, stylize):
        image, alpha = read_image_and_alpha(path)
        run = contextlib.nullcontext()
        if self._once:
            from yoto_tf.machine.compilation import run_once

            run = run_once(math.prod(size_to_paint(self._stroke, *image.shape[:2])))
        with run:
            stylized = stylize(image)
        if alpha is not None and format_to_write(output) in WITH_ALPHA:
            stylized = np.dstack([stylized, alpha])
        write_image(output, stylized)
