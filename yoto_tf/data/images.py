"""Picture files to and from 8-bit RGB arrays."""

import contextlib
import glob
import io
import os
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from yoto_tf.errors import DataError

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg"}
    | {".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
# The usual profiles that need no conversion; any other sRGB is converted to itself.
_SRGB_PROFILES = frozenset({"sRGB", "sRGB IEC61966-2.1", "sRGB built-in"})
_WITH_ALPHA = frozenset({"LA", "La", "P", "PA", "RGBA", "RGBa"})


def image_files(spec):
    """Lists the picture files a folder, glob or file name stands for, sorted.

    Args:
        spec: a folder, searched recursively for the usual picture suffixes (hidden
            files are left out); a glob such as `photos/**/*.png`; or one file.

    Returns:
        A list of `pathlib.Path`, never empty.

    Raises:
        DataError: nothing lies there, or no picture does.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        found = [
            file
            for file in path.rglob("*")
            if file.suffix.lower() in SUFFIXES
            and not file.name.startswith(".")
            and file.is_file()
        ]
        if not found:
            raise DataError(f"no pictures in the folder {spec} or below it")
        return sorted(found)
    if path.exists():
        return [path]
    if not glob.has_magic(str(spec)):
        raise DataError(f"no such file or folder: {spec}")
    found = [Path(name) for name in glob.glob(str(path), recursive=True)]
    found = sorted(file for file in found if file.is_file())
    if not found:
        raise DataError(f"no file matches {spec}")
    return found


def read_image(path):
    """Reads a picture as it is meant to be seen.

    The EXIF orientation is applied; grey, palette, CMYK and 16-bit pictures become
    8-bit RGB; transparency is composited on white; colours described by an embedded
    ICC profile are converted to sRGB (a damaged profile is ignored). Of an animation
    the first frame is read.

    Args:
        path: the file.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        DataError: the file is missing, is not a picture, is damaged or truncated, or
            claims so many pixels that Pillow suspects a decompression bomb.
    """
    try:
        with Image.open(path) as image:
            image.load()
            image = ImageOps.exif_transpose(image)
            return np.array(_to_rgb(image))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except DataError as error:
        raise DataError(f"cannot read {path}: {error}") from error
    except Exception as error:
        # On damaged files Pillow's readers raise nearly anything: OSError, SyntaxError,
        # ValueError, struct.error, IndexError, ...
        if Path(path).exists() and os.path.getsize(path) == 0:
            raise DataError(f"cannot read {path}: the file is empty") from error
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, Image.UnidentifiedImageError):
            reason = "not a picture in a known format"
        raise DataError(f"cannot read {path}: {reason}") from error


def write_image(path, array):
    """Writes a picture in the format its suffix names, completely or not at all.

    Args:
        path: the file to write, such as `out.png`; its folder must exist.
        array: uint8 `[height, width, 3]`, or `[height, width]` for grey.

    Raises:
        DataError: the suffix names no format Pillow writes, or the file cannot be
            written.
        ValueError: `array` is not of that type and shape.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    ):
        raise ValueError(
            "expected a uint8 array [height, width, 3] or [height, width]; "
            f"received {array.dtype} {array.shape}"
        )
    path = Path(path)
    file_format = Image.registered_extensions().get(path.suffix.lower())
    if file_format not in Image.SAVE:
        raise DataError(
            f"cannot write {path}: expected a picture suffix such as .png or .jpg, "
            f"received {path.suffix!r}"
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            Image.fromarray(array).save(file, format=file_format, quality=95)
        os.replace(temporary, path)
    except (OSError, ValueError) as error:
        # ValueError: a picture larger than its format allows.
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise DataError(f"cannot write {path}: {reason}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _to_rgb(image):
    image = _to_8_bits(image)
    profile = image.info.get("icc_profile")
    alpha = None
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    if profile:
        image = _to_srgb(image, profile)
    image = image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", image.size, (255, 255, 255))
        image = Image.composite(image, white, alpha)
    return image


def _to_8_bits(image):
    if image.mode == "F":
        raise DataError("pictures of floating-point numbers have no defined white")
    if image.mode != "I" and not image.mode.startswith("I;16"):
        return image
    # Pillow's own conversion clips at 255. Mode "I" is what it makes of 16-bit files
    # whose format allows no "I;16".
    values = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
    grey = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if "icc_profile" in image.info:
        grey.info["icc_profile"] = image.info["icc_profile"]
    return grey


def _to_srgb(image, profile):
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if ImageCms.getProfileDescription(source).strip() in _SRGB_PROFILES:
            return image
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except Exception:
        # A damaged profile, one for other colour channels than the picture's, or a
        # Pillow without LittleCMS: viewers show such a picture as if it were sRGB.
        return image
