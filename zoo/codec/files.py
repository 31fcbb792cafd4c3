"""Picture files to `.yoto` files and back, one or many at a time."""

import contextlib
import dataclasses
import functools
import glob
import math
from pathlib import Path

from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.imaging.metrics import bits_per_pixel, psnr
from yoto_tf.machine.atomic_files import is_special, write_atomically
from yoto_tf.zoo.codec.coding.container import check_size
from yoto_tf.zoo.codec.compressed_file import CompressedFile, PretrainedById
from yoto_tf.zoo.codec.decoder import Decoder, load_codec, loaded_once
from yoto_tf.zoo.codec.extras import Extras, attach, num_bytes, with_alpha
from yoto_tf.zoo.codec.second_layer.choice import exact
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
    from yoto_tf.data.images import image_files, read_picture

    if lossless and (effort or any(value is not None for value in how.values())):
        raise CoefficientError(
            "a lossless file has no quality, target, coefficient or effort"
        )
    codec = loaded_once(functools.partial(load_codec, model))
    pretrained = PretrainedById()

    def compress(picture, output):
        path = picture.path
        image, alpha, kept = read_picture(path, metadata)
        try:
            extras = Extras(alpha, kept).sections()
            if lossless:
                data = exact(image).to_bytes()
            else:
                rest = _for_the_picture(how, num_bytes(extras), image)
                data = codec().compress(image, effort=effort, **rest)
            data = attach(data, extras)
        except (DataError, FormatError) as error:
            raise type(error)(f"{path}: {error}") from error
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, data)
        names = None if lossless else codec().coefficients.names
        file = CompressedFile.of(output, data)
        described = {
            "input": str(path),
            "output": str(output),
            **file.description(pretrained, names),
        }
        if measure:
            reached = math.inf
            if not lossless:
                with _runs(found, file):
                    reached = psnr(image, codec().decode(file.container))
            described["psnr"] = None if reached == math.inf else reached
        return described

    found = pair_files(
        source,
        target,
        image_files,
        PICTURES_TO_READ,
        COMPRESSED,
        lambda path: path.with_suffix(SUFFIX),
    )
    return convert_files(
        found.pairs,
        found.many,
        compress,
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
    from yoto_tf.data.images import WITH_ALPHA, format_to_write, write_image

    pretrained = PretrainedById()
    decoder = Decoder(model, pretrained)

    def decompress(file, output):
        with _runs(found, file):
            image, names = decoder.decode(file)
        try:
            extras = Extras.read(file.container)
        except FormatError as error:
            raise FormatError(f"{file.path}: {error}") from error
        if extras.alpha is not None and format_to_write(output) in WITH_ALPHA:
            image = with_alpha(image, extras.alpha)
        output.parent.mkdir(parents=True, exist_ok=True)
        write_image(output, image, extras.metadata)
        return {
            "input": str(file.path),
            "output": str(output),
            **file.description(pretrained, names),
        }

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
        decompress,
        CompressedFile.read,
        clobber,
        PICTURES,
        found.skipped,
    )


def _runs(found, file):
    """The context to decode a `CompressedFile` in: `run_once` for a single one.

    Not to encode in: a latent that is rounded the other way would make other bytes of
    the same picture.
    """
    if found.many or file.container.lossless is not None:
        return contextlib.nullcontext()
    from yoto_tf.machine.compilation import run_once

    return run_once(file.pixels)


def _for_the_picture(how, num_extra, image):
    """`how` with what further sections take subtracted from a target for the file."""
    how = dict(how)
    if how.get("target_size") is not None:
        how["target_size"] -= num_extra
    if how.get("target_bpp") is not None:
        how["target_bpp"] -= bits_per_pixel(num_extra, *image.shape[:2])
    left = [how.get(name) for name in ("target_size", "target_bpp")]
    if num_extra and any(value is not None and value <= 0 for value in left):
        raise DataError(
            f"transparency and metadata alone take {num_extra:,} bytes, more than the "
            "target"
        )
    return how


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
    found = path.rglob(f"*{SUFFIX}") if path.is_dir() else _glob(spec)
    found = sorted(file for file in found if file.is_file())
    if not found:
        raise DataError(f"no {SUFFIX} files in {spec}")
    return found


def _glob(spec):
    if not glob.has_magic(str(spec)):
        raise DataError(f"no such file or folder: {spec}")
    return map(Path, glob.glob(str(spec), recursive=True))
