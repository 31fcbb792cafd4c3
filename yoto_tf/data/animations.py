"""Animated pictures, written from frames in memory."""

from PIL import Image

from yoto_tf.machine.atomic_files import atomic_file

SUFFIXES = frozenset({".gif", ".webp"})


def write_animation(path, frames, milliseconds=120):
    """Writes frames that are shown there and back for ever, completely or not at all.

    Args:
        path: a `.gif` or `.webp` to write; its folder must exist.
        frames: list of uint8 [H, W, 3], at least one.
        milliseconds: how long each is shown.

    Raises:
        DataError: the file cannot be written.
    """
    there, back = list(frames), list(frames)[-2:0:-1]
    first, *later = (Image.fromarray(frame) for frame in (*there, *back))
    with atomic_file(path) as file:
        first.save(
            file,
            format="WEBP" if str(path).lower().endswith(".webp") else "GIF",
            save_all=True,
            append_images=later,
            duration=milliseconds,
            loop=0,
        )
