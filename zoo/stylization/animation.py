"""Animated pictures, frame by frame."""

import contextlib
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageSequence
from tqdm import tqdm

from yoto_tf.errors import DataError

SUFFIXES = frozenset({".gif", ".webp"})
_MILLISECONDS = 100


def is_animation(path):
    """Whether a file holds several frames."""
    try:
        with Image.open(path) as image:
            return getattr(image, "n_frames", 1) > 1
    # Pillow's readers raise nearly anything; `read_image` says what is wrong.
    except Exception:
        return False


def convert_animation(source, target, convert):
    """Writes an animation of converted frames, completely or not at all.

    Durations and the number of repetitions are kept; transparency is put on white.

    Args:
        source: an animated picture file.
        target: the `.gif` or `.webp` to write.
        convert: function of uint8 [H, W, 3] to the same.

    Raises:
        DataError: a file cannot be read or written; what `convert` raises.
    """
    source, target = Path(source), Path(target)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with Image.open(source) as image:
            durations = [
                frame.info.get("duration", _MILLISECONDS)
                for frame in ImageSequence.Iterator(image)
            ]
            frames = (
                Image.fromarray(convert(_on_white(frame)))
                for frame in tqdm(
                    ImageSequence.Iterator(image),
                    desc=source.name,
                    total=len(durations),
                    unit="frame",
                    delay=1,
                    disable=None,
                )
            )
            options = {"save_all": True, "duration": durations}
            if "loop" in image.info:
                options["loop"] = image.info["loop"]
            first = next(frames)
            with open(temporary, "wb") as file:
                form = target.suffix[1:].upper()
                first.save(file, format=form, append_images=frames, **options)
        os.replace(temporary, target)
    except (OSError, EOFError, SyntaxError, ValueError) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise DataError(f"cannot convert {source} to {target}: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _on_white(frame):
    frame = frame.convert("RGBA")
    white = Image.new("RGBA", frame.size, "white")
    return np.array(Image.alpha_composite(white, frame).convert("RGB"))
