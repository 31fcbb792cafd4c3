"""Picture files to `.yoto` files and back, one or many at a time."""

import functools
import glob
import threading
from pathlib import Path

from yoto_tf import zoo
from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.imaging.metrics import bits_per_pixel
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.codec.coding.container import MAGIC, Container, check_size
from yoto_tf.zoo.codec.lossless.picture import decode_picture
from yoto_tf.zoo.codec.second_layer.choice import exact, in_words
from yoto_tf.zoo.conversion import PICTURES, Kind, convert_files, pair_files
from yoto_tf.zoo.families import check_family

SUFFIX = ".yoto"
COMPRESSED = Kind(frozenset({SUFFIX}), f"the suffix {SUFFIX}")
# More than any picture of the largest size takes.
_LARGEST_FILE = 2**29


def compress_files(
    source, target, model="codec", *, lossless=False, clobber=True, **how
):
    """Compresses a picture file, or all that a folder or glob stands for.

    Args:
        source: a picture file, a folder (searched recursively) or a glob.
        target: the `.yoto` file to write; for many files a folder, made if need be.
        model: a pretrained name or the directory of a release.
        lossless: true for files that hold the pictures exactly, which needs no model.
        clobber: whether `.yoto` files that exist are replaced.
        **how: passed to `Codec.compress`: a quality, a target or coefficients.

    Returns:
        A `Report`; its files are as `describe` has them, with "input" and "output".

    Raises:
        DataError, FormatError: the one file cannot be read, compressed or written, or
            there are no files.
        CoefficientError, RecipeError: see `Codec.compress` and `yoto_tf.zoo.load`.
    """
    from yoto_tf.data import image_files, read_image

    if lossless and any(value is not None for value in how.values()):
        raise CoefficientError("a lossless file has no quality, target or coefficient")
    codec = _loaded_once(functools.partial(_codec, model))

    def compress(path, output):
        _pixels_of_picture(path)
        image = read_image(path)
        try:
            if lossless:
                data = exact(image).to_bytes()
            else:
                data = codec().compress(image, **how)
        except (DataError, FormatError) as error:
            raise type(error)(f"{path}: {error}") from error
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, data)
        description = _describe(data, None if lossless else codec())
        return {"input": str(path), "output": str(output), **description}

    pairs, many = pair_files(source, target, image_files, PICTURES, COMPRESSED, SUFFIX)
    return convert_files(pairs, many, compress, _pixels_of_picture, clobber)


def decompress_files(source, target, model=None, *, clobber=True):
    """Decodes a `.yoto` file, or all that a folder or glob stands for.

    Args:
        source: a `.yoto` file, a folder (searched recursively) or a glob.
        target: the picture file to write, its format named by its suffix; for many
            files a folder, made if need be, to which PNG files are written.
        model: a pretrained name or the directory of a release; None for the pretrained
            model that each file names.
        clobber: whether pictures that exist are replaced.

    Returns:
        A `Report`; its files are as `describe` has them, with "input" and "output".

    Raises:
        DataError, FormatError: the one file cannot be read, decoded or written, or
            there are no files.
        RecipeError: see `yoto_tf.zoo.load`.
    """
    codec = _loaded_once(_codec)

    def decompress(path, output):
        data = _read(path)
        try:
            container = Container.from_bytes(data)
            loaded = None
            if container.lossless is None:
                loaded = codec(model or _model_of(container))
                image = loaded.decompress(data)
            else:
                image = decode_picture(
                    container.lossless, container.height, container.width
                )
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from error
        from yoto_tf.data import write_image

        output.parent.mkdir(parents=True, exist_ok=True)
        write_image(output, image)
        return {
            "input": str(path),
            "output": str(output),
            **_describe(data, loaded),
        }

    pairs, many = pair_files(
        source, target, _compressed_files, COMPRESSED, PICTURES, ".png"
    )
    return convert_files(pairs, many, decompress, _pixels_of_file, clobber)


def needs_model(source):
    """Whether a model is needed to decode this; false only for one lossless file."""
    try:
        return Container.from_bytes(_read(source)).lossless is None
    except (DataError, FormatError):
        return True


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
    data = _read(path)
    try:
        return {"input": str(path), **_describe(data)}
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error


def _describe(data, codec=None):
    container = Container.from_bytes(data)
    values = container.coefficients
    extras = {}
    if layer := in_words(container):
        extras["second_layer"] = layer
    if container.metadata:
        extras["metadata"] = [kind.name for kind in container.metadata]
    model, summary = _pretrained(container.model_id)
    names = [f"coefficient_{i + 1}" for i in range(len(values))]
    if codec is not None and container.lossless is None:
        names = codec.coefficients.names
    elif summary is not None and len(summary.ranges) == len(values):
        names = summary.ranges
    return {
        "model": model,
        "model_id": container.model_id.hex(),
        "coefficients": dict(zip(names, values, strict=True)),
        "width": container.width,
        "height": container.height,
        "bytes": len(data),
        "bits_per_pixel": bits_per_pixel(len(data), container.height, container.width),
        **extras,
    }


def _loaded_once(load):
    """Caches a function for threads, of which only the first calls it."""
    cached, lock = functools.cache(load), threading.Lock()

    def call(*arguments):
        with lock:
            return cached(*arguments)

    return call


def _pixels_of_picture(path):
    """The size of a picture, before it is read; 0 where reading it will fail."""
    from yoto_tf.data.images import open_picture

    try:
        with open_picture(path) as image:
            width, height = image.size
    except Exception:
        # Pillow raises nearly anything, which `read_image` puts into words.
        return 0
    try:
        check_size(height, width)
    except FormatError as error:
        raise FormatError(f"{path}: {error}") from error
    return height * width


def _pixels_of_file(path):
    """The size of the picture in a compressed file; 0 where decoding it will fail."""
    try:
        container = Container.from_bytes(_read(path))
    except (DataError, FormatError):
        return 0
    return container.height * container.width


def _pretrained(model_id):
    """Name and summary of the pretrained model that has this id or had it before.

    None twice if there is none.
    """
    for name, summary in zoo.summaries().items():
        if model_id in (summary.id, *summary.former_ids):
            return name, summary
    return None, None


def _codec(model):
    loaded = zoo.load(model)
    check_family(model, loaded.release, "codec")
    return loaded


def _model_of(container):
    name, _ = _pretrained(container.model_id)
    if name is None:
        raise FormatError(
            f"written by model {container.model_id.hex()}, which is none of the "
            f"pretrained ones ({', '.join(zoo.names()) or 'none is installed'}); "
            "name its model or directory"
        )
    return name


def _read(path):
    try:
        with open(path, "rb") as file:
            magic = file.read(len(MAGIC))
            # A foreign file may be larger than the memory.
            if magic == MAGIC:
                magic += file.read(_LARGEST_FILE)
            if len(magic) > _LARGEST_FILE:
                raise FormatError(
                    f"{path}: larger than any .yoto file, which has at most "
                    f"{_LARGEST_FILE:,} bytes"
                )
            return magic
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error


def _compressed_files(spec):
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
