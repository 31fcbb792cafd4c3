"""Picture files to `.yoto` files and back, one or many at a time."""

import dataclasses
import functools
import glob
from pathlib import Path

from yoto_tf.errors import DataError, FormatError
from yoto_tf.machine.atomic_files import is_special
from yoto_tf.zoo.codec.coding.container import check_size
from yoto_tf.zoo.codec.compressed_file import CompressedFile, PretrainedById
from yoto_tf.zoo.codec.decoder import load_codec, loaded_once
from yoto_tf.zoo.codec.file_conversion import FileCompressor, FileDecompressor
from yoto_tf.zoo.conversion import convert_files
from yoto_tf.zoo.pairing import PICTURES, PICTURES_TO_READ, Kind, pair_files

SUFFIX = ".yoto"
COMPRESSED = Kind(frozenset({SUFFIX}), f"the suffix {SUFFIX}")


def compress_files(
    source,
    target,
    model="codec",
    *,
    lossless=False,
    effort=0,
    clobber=True,
    measure=False,
    metadata="none",
    **how,
):
    """Compresses a picture file, or all that folders or globs stand for.

    Of a picture that is transparent in part, the file holds how it looks on white, and
    the transparency without loss.

    Args:
        source: a picture file, a folder (searched recursively) or a glob; or a list of
            them.
        target: the `.yoto` file to write, or a folder for it; for many files a folder,
            made if need be, see `yoto_tf.zoo.pairing`.
        model: a pretrained name or the directory of a release.
        lossless: true for files that hold the pictures exactly, which needs no model.
        effort: see `Codec.compress`; a lossless file takes none.
        clobber: whether `.yoto` files that exist are replaced.
        metadata: `"none"`, `"icc"` or `"all"`, see `yoto_tf.data.images.read_picture`.
        measure: whether the pictures are decoded again for their PSNR.
        **how: passed to `Codec.compress`: a quality, a target or coefficients.

    Returns:
        A `ConversionReport`; its files are as `describe` has them, with "input" and
        "output", and with `measure` "psnr", in dB, None for the very same pixels.

    Raises:
        DataError, FormatError: the one file cannot be read, compressed or written, or
            there are no files.
        CoefficientError, RecipeError: see `Codec.compress` and `yoto_tf.zoo.load`.
    """
    from yoto_tf.data.images import image_files

    found = pair_files(
        source,
        target,
        image_files,
        PICTURES_TO_READ,
        COMPRESSED,
        lambda path: path.with_suffix(SUFFIX),
    )
    compress = FileCompressor(
        loaded_once(functools.partial(load_codec, model)),
        lossless=lossless,
        effort=effort,
        measure=measure,
        metadata=metadata,
        once=not found.many,
        **how,
    )
    return convert_files(
        found.pairs,
        found.many,
        lambda picture, output: compress(picture.path, output),
        _open_picture,
        clobber,
        COMPRESSED,
        found.skipped,
    )


def decompress_files(source, target, model=None, *, clobber=True):
    """Decodes a `.yoto` file, or all that folders or globs stand for.

    Transparency and metadata are restored where the format can hold them.

    Args:
        source: a `.yoto` file, a folder (searched recursively) or a glob; or a list of
            them.
        target: the picture file to write, its format named by its suffix; or a folder,
            for many files made if need be, to which PNG files are written.
        model: a pretrained name or the directory of a release; None for the pretrained
            model that each file names.
        clobber: whether pictures that exist are replaced.

    Returns:
        A `ConversionReport`; its files are as `describe` has them, with "input" and
        "output".

    Raises:
        DataError, FormatError: the one file cannot be read, decoded or written, or
            there are no files.
        RecipeError: see `yoto_tf.zoo.load`.
    """
    found = pair_files(
        source,
        target,
        compressed_files,
        COMPRESSED,
        PICTURES,
        lambda path: path.with_suffix(".png"),
    )
    return convert_files(
        found.pairs,
        found.many,
        FileDecompressor(model, once=not found.many),
        CompressedFile.read,
        clobber,
        PICTURES,
        found.skipped,
    )


def needs_model(sources):
    """Whether a model is needed to decode these; false only for lossless files."""
    return not all(map(_is_lossless, sources))


def _is_lossless(source):
    # A pipe or a device can be read only once.
    if is_special(source):
        return False
    try:
        return CompressedFile.read(source).container.lossless is not None
    except (DataError, FormatError):
        return False


def describe(path):
    """What a compressed file says about itself, without decoding it.

    Returns:
        A dict: "model" (None if it is not among the pretrained ones), "model_id",
        "coefficients" {name: value}, "width", "height", "bytes", "bits_per_pixel"; if
        the networks did not code all of it "second_layer", what did so in words; if it
        has any "metadata", the names of them.

    Raises:
        DataError, FormatError: the file cannot be read, is foreign or is damaged.
    """
    description = CompressedFile.read(path).description(PretrainedById())
    return {"input": str(path), **description}


@dataclasses.dataclass(frozen=True)
class _Picture:
    """A picture file that is still to be read; `pixels` is 0 if that will fail."""

    path: Path
    pixels: int


def _open_picture(path):
    """The `_Picture` of a file, by its head.

    Raises:
        FormatError: it is larger than the format holds.
    """
    from yoto_tf.data.images import open_picture

    try:
        with open_picture(path) as image:
            width, height = image.size
    except Exception:
        # Pillow raises nearly anything, which `read_image` puts into words.
        return _Picture(path, 0)
    try:
        check_size(height, width)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    return _Picture(path, height * width)


def compressed_files(spec):
    """As `yoto_tf.data.image_files`, for `.yoto` files."""
    path = Path(spec)
    found = _below(path) if path.is_dir() else _glob(spec)
    found = sorted(file for file in found if file.is_file())
    if not found:
        raise DataError(f"no {SUFFIX} files in {spec}")
    return found


def _below(folder):
    for file in folder.rglob("*"):
        if file.suffix.lower() == SUFFIX and not file.name.startswith("."):
            yield file


def _glob(spec):
    if not glob.has_magic(str(spec)):
        raise DataError(f"no such file or folder: {spec}")
    return map(Path, glob.glob(str(spec), recursive=True))
