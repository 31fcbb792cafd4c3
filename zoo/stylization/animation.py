"""Animated pictures, frame by frame."""

import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence

from yoto_tf.data.images import open_picture, picture_errors, to_rgb
from yoto_tf.errors import DataError, printable
from yoto_tf.machine.atomic_files import atomic_file
from yoto_tf.machine.progress import progress_bar

SUFFIXES = frozenset({".gif", ".webp"})
# Others of several pictures, such as a phone's MPO or a TIFF, are pages or previews.
_ANIMATED = frozenset({"AVIF", "GIF", "PNG", "WEBP"})
_MILLISECONDS = 100


def is_animation(path):
    """Whether a file holds several frames that are shown one after the other."""
    try:
        with open_picture(path) as image:
            return image.format in _ANIMATED and getattr(image, "n_frames", 1) > 1
    # Pillow's readers raise nearly anything; `read_image` says what is wrong.
    except Exception:
        return False


def convert_animation(source, target, convert):
    """Writes an animation of converted frames, completely or not at all.

    Durations and the number of showings are kept; transparency is put on white.

    Args:
        source: an animated picture file.
        target: the `.gif` or `.webp` to write.
        convert: function of uint8 [H, W, 3] to the same.

    Raises:
        DataError: a file cannot be read or written; what `convert` raises.
    """
    target = Path(target)
    form = target.suffix[1:].upper()
    with open_picture(source) as image, atomic_file(target) as file:
        with picture_errors(source):
            durations = _durations(image)
        loop = _loop(image, form)
        frames = _frames(source, image, len(durations), convert)
        first = next(frames)
        options = {} if loop is None else {"loop": loop}
        try:
            first.save(
                file,
                format=form,
                save_all=True,
                append_images=frames,
                duration=durations,
                **options,
            )
        except (RuntimeError, ValueError) as error:
            # A picture larger than its format allows.
            reason = " ".join(str(error).split())
            raise DataError(f"cannot write {target}: {reason}") from error


def _frames(source, image, count, convert):
    """Yields the converted frames."""
    with progress_bar(
        description=printable(os.path.basename(str(source))),
        total=count,
        unit="frame",
    ) as progress:
        for number in range(count):
            with picture_errors(source):
                image.seek(_first(image) + number)
                frame = _on_white(image)
            yield Image.fromarray(convert(frame))
            progress.update()


def _durations(image):
    """Milliseconds of each frame; some formats tell them when the frame is read."""
    durations = []
    for frame in ImageSequence.Iterator(image):
        frame.load()
        durations.append(round(frame.info.get("duration", _MILLISECONDS)))
    image.seek(0)
    # A PNG may begin with a picture for viewers without animation: it is not a frame.
    return durations[_first(image) :]


def _first(image):
    return int(getattr(image, "default_image", False))


def _loop(image, form):
    """The `loop` with which a file of the format `form` is shown as often as `image`.

    A GIF states how many times it is repeated after the first, and states nothing if it
    is shown once. The other formats state how many times it is shown. 0 is for ever.
    """
    again = image.info.get("loop")
    if image.format == "GIF":
        showings = 1 if again is None else again and again + 1
    else:
        showings = again or 0
    if form == "GIF":
        return None if showings == 1 else showings and showings - 1
    return showings


def _on_white(frame):
    rgb, alpha = to_rgb(frame)
    if alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, "white"), alpha)
    return np.array(rgb)
