"""Picture files to and from 8-bit RGB arrays."""

import contextlib
import functools
import glob
import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from yoto_tf.data.heif import FORMAT as HEIF
from yoto_tf.data.heif import SUFFIXES as HEIF_SUFFIXES
from yoto_tf.data.heif import enable_heif, is_heif
from yoto_tf.data.metadata import NO_METADATA, Metadata
from yoto_tf.data.png import png_without_metadata
from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import atomic_file, is_special
from yoto_tf.machine.inputs import rereadable

SUFFIXES = frozenset(
    {".avif", ".bmp", ".gif", ".jfif", ".jpeg", ".jpg"}
    | {".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
# What is read under its own name in a folder.
READ_SUFFIXES = SUFFIXES | HEIF_SUFFIXES
# The usual profiles that need no conversion; any other sRGB is converted to itself.
_SRGB_PROFILES = frozenset({"sRGB", "sRGB IEC61966-2.1", "sRGB built-in"})
# What Pillow calls them; JPEG includes a phone's MPO.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Formats to write with an alpha channel.
WITH_ALPHA = frozenset({"AVIF", "PNG", "TIFF", "WEBP"})
# The further pictures of an MPO are previews and gain maps of the first.
_STILL = frozenset({"JPEG", "MPO"})
_MODES_WITH_ALPHA = frozenset({"LA", "La", "P", "PA", "RGBA", "RGBa"})
# Tags of TIFF 6.0, sections 8 and 19.
_WIDTH, _HEIGHT, _BITS_PER_SAMPLE, _PHOTOMETRIC = 256, 257, 258, 262
_SAMPLE_FORMAT = 339
_WHITE_IS_ZERO = 0
# Exif 2.3, tag Orientation.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# In bytes: more than the largest picture takes that Pillow reads.
_LARGEST_FILE = 2**31


def image_files(spec):
    """Lists the picture files a folder, glob or file name stands for, sorted.

    Args:
        spec: a folder, searched recursively for the usual picture suffixes (hidden
            files are left out); a glob such as `photos/**/*.png`; or one file.

    Returns:
        A list of paths, never empty.

    Raises:
        DataError: nothing lies there, or no picture does.
    """
    path = Path(spec).expanduser()
    if path.is_dir():
        found = [
            file
            for file in path.rglob("*")
            if file.suffix.lower() in READ_SUFFIXES
            and not file.name.startswith(".")
            and file.is_file()
        ]
        if not found:
            raise DataError(f"no pictures in the folder {spec} or below it")
        return sorted(found)
    if path.exists():
        return [rereadable(path)]
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
    or of several pages the first is read, with a warning.

    Args:
        path: the file, of one of `FORMATS` or HEIC, whatever its name is. HEIC needs
            the extra `heif`.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        DataError: the file is missing, is not a picture, is damaged or truncated, holds
            numbers without a defined white, or claims so many pixels that Pillow
            suspects a decompression bomb.
    """
    return read_image_and_alpha(path)[0]


def read_image_and_alpha(path):
    """Reads a picture as `read_image` does, and its transparency.

    Returns:
        uint8 `[height, width, 3]`, and uint8 `[height, width]`, 255 where the picture
        is opaque, or None where all of it is.
    """
    return read_picture(path)[:2]


def read_picture(path, metadata="none"):
    """Reads a picture as `read_image` does, its transparency and its metadata.

    Args:
        path: see `read_image`.
        metadata: which to keep: `"none"`; `"icc"`, the profile, which leaves the pixels
            in its colour space; or `"all"`, that, EXIF and XMP. A profile for other
            channels than RGB is not kept: the pixels are converted to sRGB.

    Returns:
        As `read_image_and_alpha`, and a `Metadata`.
    """
    with picture_errors(path), open_picture(path) as image:
        several = image.format not in _STILL and _has_several_frames(image)
        kept = Metadata.of(image, metadata)
        rgb, alpha = to_rgb(image, keep_profile=kept.icc is not None)
        if alpha is not None:
            white = Image.new("RGB", rgb.size, (255, 255, 255))
            rgb = Image.composite(rgb, white, alpha)
            alpha = np.array(alpha)
            alpha = None if (alpha == 255).all() else alpha
        if several:
            warnings.warn(
                f"{path} has several frames or pages: only the first is used",
                stacklevel=4,
            )
        return np.array(rgb), alpha, kept


def read_image_bytes(content, name):
    """Reads a picture, as `read_image` does, of what a file holds.

    Args:
        content: bytes of one of `FORMATS`.
        name: what errors call it.

    Returns:
        uint8 `[height, width, 3]`.

    Raises:
        DataError: see `read_image`.
    """
    with (
        picture_errors(name),
        Image.open(io.BytesIO(content), formats=_formats()) as image,
    ):
        rgb, alpha = to_rgb(image)
        if alpha is not None:
            white = Image.new("RGB", rgb.size, (255, 255, 255))
            rgb = Image.composite(rgb, white, alpha)
        return np.array(rgb)


@contextlib.contextmanager
def picture_errors(path):
    """Puts whatever Pillow raises on a damaged file into a `DataError`."""
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except DataError as error:
        raise DataError(f"cannot read {path}: {error}") from error
    except Exception as error:
        # OSError, SyntaxError, ValueError, struct.error, IndexError, MemoryError, ...
        if os.path.isfile(path) and os.path.getsize(path) == 0:
            raise DataError(f"cannot read {path}: the file is empty") from error
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, Image.UnidentifiedImageError):
            reason = "not a picture in a known format"
            if _is_video(path):
                reason = "it is a video, expected a picture"
        raise DataError(f"cannot read {path}: {reason}") from error


def open_picture(path):
    """`PIL.Image.open` for `FORMATS` and no others.

    Pillow hands files of some others to programs such as Ghostscript.
    """
    if os.path.isfile(path) and os.path.getsize(path) > _LARGEST_FILE:
        raise DataError(f"it has more than {_LARGEST_FILE:,} bytes")
    if is_heif(path):
        enable_heif()
        return Image.open(path, formats=(HEIF,))
    content, metadata = png_without_metadata(path)
    image = Image.open(content or path, formats=_formats())
    image.info.update(metadata)
    return image


def write_image(path, array, metadata=NO_METADATA):
    """Writes a picture in the format its suffix names, completely or not at all.

    Args:
        path: the file to write, such as `out.png`; its folder must exist.
        array: uint8 `[height, width, 3]`, or `[height, width]` for grey, or
            `[height, width, 4]` with alpha for a format of `WITH_ALPHA`.
        metadata: a `Metadata` to write with it, as far as the format can hold it. Where
            it holds no ICC profile, the pixels are converted to sRGB.

    Raises:
        DataError: the suffix names no format Pillow writes, or the file cannot be
            written.
        ValueError: `array` is not of that type and shape.
    """
    array = np.asarray(array)
    if array.dtype != np.uint8 or not (
        array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    ):
        raise ValueError(
            "expected a uint8 array [height, width, 3] or [height, width]; "
            f"got {array.dtype} {array.shape}"
        )
    file_format = format_to_write(path)
    image, options = Image.fromarray(array), metadata.options(file_format)
    if metadata.icc is not None and "icc_profile" not in options:
        image = _to_srgb(image, metadata.icc)
    with atomic_file(path) as file:
        try:
            _save(image, file, format=file_format, quality=95, **options)
        except ValueError as error:
            # A picture larger than its format allows.
            reason = " ".join(str(error).split())
            raise DataError(f"cannot write {path}: {reason}") from error


def _save(image, file, **options):
    """`PIL.Image.Image.save`, which for some formats goes back in the file."""
    if file.seekable():
        image.save(file, **options)
        return
    content = io.BytesIO()
    image.save(content, **options)
    file.write(content.getbuffer())


def format_to_write(path):
    """The format that the suffix of a picture to write names; PNG for a pipe.

    Raises:
        DataError: it names no format that can be read again.
    """
    suffix = Path(path).suffix
    if not suffix and is_special(path):
        return "PNG"
    file_format = Image.registered_extensions().get(suffix.lower())
    if file_format not in Image.SAVE or suffix.lower() not in SUFFIXES:
        raise DataError(
            f"cannot write {path}: expected a picture suffix such as .png or .jpg, "
            f"got {suffix!r}"
        )
    return file_format


def to_rgb(image, keep_profile=False):
    """An open picture or frame as 8-bit RGB, upright: (RGB, alpha or None).

    It is sRGB, or what the picture's ICC profile says if that is to be kept.
    """
    # Asked for before the pixels are read: afterwards Pillow no longer knows it.
    rescale = _rescaled_transparency(image)
    upright = _UPRIGHT.get(_orientation(image))
    image.load()
    if image.mode == "F":
        raise DataError("pictures of floating-point numbers have no defined white")
    profile = image.info.get("icc_profile")
    transparency = image.info.get("transparency")
    alpha = None
    if image.mode == "I" or image.mode.startswith("I;16"):
        image, alpha = _to_8_bits(image, transparency)
    elif image.mode in _MODES_WITH_ALPHA or transparency is not None:
        if rescale is not None and transparency is not None:
            image.info["transparency"] = rescale(transparency)
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    if profile and not keep_profile:
        image = _to_srgb(image, profile)
    image = image.convert("RGB")
    if upright is not None:
        image = image.transpose(upright)
        alpha = alpha and alpha.transpose(upright)
    return image, alpha


def _to_8_bits(image, transparency):
    """A grey picture of more bits as 8-bit grey, and its alpha or None.

    Pillow's own conversion clips at 255. Mode "I" is what it makes of 32-bit TIFF files
    and of 16-bit files whose format allows no "I;16".
    """
    values, white, inverted = np.asarray(image).astype(np.int64), 65535, False
    if image.format == "TIFF":
        bits = image.tag_v2.get(_BITS_PER_SAMPLE, (1,))[0]
        if image.tag_v2.get(_SAMPLE_FORMAT, (1,))[0] != 1:
            raise DataError("pictures of signed numbers have no defined white")
        white = 2**bits - 1
        # Pillow holds them as if they were signed.
        values &= white
        inverted = image.tag_v2.get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    values = np.clip(values, 0, white)
    grey = (values * 255 + white // 2) // white
    grey = Image.fromarray((255 - grey if inverted else grey).astype(np.uint8))
    if transparency is None:
        return grey, None
    return grey, Image.fromarray(np.where(values == transparency, 0, 255).astype("u1"))


def _rescaled_transparency(image):
    """A function that brings a PNG's transparent colour to 8 bits, or None.

    Pillow brings pixels of 2, 4 and 16 bits to 8, but not this colour.
    """
    if image.format != "PNG" or not image.tile:
        return None
    mode = image.tile[0][3]
    return {
        "L;2": lambda grey: 85 * grey,
        "L;4": lambda grey: 17 * grey,
        "RGB;16B": lambda color: tuple(value >> 8 for value in color),
    }.get(mode if isinstance(mode, str) else mode[0])


def _orientation(image):
    """The EXIF orientation of a picture that is not read yet, or None.

    Pillow turns TIFFs by itself, uncompressed ones wrongly: the tag is removed here, so
    that it does not.
    """
    # A damaged tag counts as no tag.
    try:
        if image.format == "TIFF" and _ORIENTATION in image.tag_v2:
            orientation = image.tag_v2[_ORIENTATION]
            del image.getexif()[_ORIENTATION], image.tag_v2[_ORIENTATION]
            image._size = image.tag_v2[_WIDTH], image.tag_v2[_HEIGHT]
            return orientation
        return image.getexif().get(_ORIENTATION)
    except Exception:
        return None


def _has_several_frames(image):
    # A later frame may be damaged, which makes Pillow raise nearly anything.
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:
        return False


@functools.cache
def _formats():
    # AVIF is there only where Pillow was built with it.
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def _is_video(path):
    try:
        with open(path, "rb") as file:
            start = file.read(12)
    except OSError:
        return False
    if start[4:8] == b"ftyp":
        return start[8:] not in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
    return start[:4] == b"\x1aE\xdf\xa3" or start[8:] == b"AVI "


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
