"""Tasks of the codec."""

import dataclasses
import functools
from pathlib import PurePosixPath

from yoto_tf.bulk.tasks.task import Task, release_of, small_picture
from yoto_tf.errors import CoefficientError
from yoto_tf.zoo.codec.decoder import load_codec
from yoto_tf.zoo.codec.evaluation import SETTINGS, measured
from yoto_tf.zoo.codec.file_conversion import (
    FileCompressor,
    FileDecompressor,
    check_lossless,
)
from yoto_tf.zoo.codec.files import COMPRESSED, SUFFIX
from yoto_tf.zoo.codec.quality import check_effort, vector_of
from yoto_tf.zoo.pairing import PICTURES, PICTURES_TO_READ

_TARGETS = frozenset({"target_bpp", "target_psnr", "target_size"})


def compression(
    model="codec", *, lossless=False, effort=0, measure=False, metadata="none", **how
):
    """The `Task` of compressing pictures to `.yoto` files.

    Args:
        model, lossless, effort, measure, metadata, **how: see
            `yoto_tf.zoo.codec.files.compress_files`.

    Raises:
        CoefficientError: settings that do not fit, or beyond their ranges.
        RecipeError: see `yoto_tf.zoo.release_of`.
    """
    how = {name: value for name, value in how.items() if value is not None}
    release = None
    if lossless:
        check_lossless(effort, how)
    else:
        check_effort(effort)
        release = release_of(model, "codec")
        if not _TARGETS & how.keys():
            named = {name: value for name, value in how.items() if name != "quality"}
            vector_of(release.coefficients, how.get("quality"), named)
        elif len(how) > 1:
            raise CoefficientError(f"give one of {', '.join(sorted(how))}")
    how |= {"lossless": lossless, "effort": effort}
    how |= {"metadata": metadata, "measure": measure}
    kinds = {"read": PICTURES_TO_READ, "written": COMPRESSED}
    return _Compression(name="compress", release=release, how=how, **kinds)


def decompression(model=None):
    """The `Task` of decoding `.yoto` files to PNG.

    Args:
        model: see `yoto_tf.zoo.codec.files.decompress_files`.

    Raises:
        RecipeError: see `yoto_tf.zoo.release_of`.
    """
    release = None if model is None else release_of(model, "codec")
    kinds = {"read": COMPRESSED, "written": PICTURES}
    return _Decompression(name="decompress", release=release, how={}, **kinds)


def evaluation(model="codec", settings=SETTINGS):
    """The `Task` of measuring a codec on pictures, which writes the manifest only.

    Args:
        model: a pretrained name or the directory of a release.
        settings: how many, see `yoto_tf.zoo.codec.evaluation.evaluate`.

    Raises:
        RecipeError: see `yoto_tf.zoo.release_of`.
    """
    return _Evaluation(
        name="evaluate",
        release=release_of(model, "codec"),
        how={"settings": settings},
        read=PICTURES_TO_READ,
        written=None,
    )


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Compression(Task):
    def renamed(self, name):
        return str(PurePosixPath(name).with_suffix(SUFFIX))

    def start(self):
        codec = None
        if self.release is not None:
            codec = functools.cache(lambda: load_codec(self.release))
            codec().reconstruct(small_picture())
        return FileCompressor(codec, **self.how)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Decompression(Task):
    def renamed(self, name):
        return str(PurePosixPath(name).with_suffix(".png"))

    def start(self):
        from yoto_tf.zoo.codec.compressed_file import CompressedFile

        # The model may be one that only the files name: the first of them prepares it.
        decompress = FileDecompressor(self.release)
        return lambda path, output: decompress(CompressedFile.read(path), output)


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Evaluation(Task):
    def renamed(self, name):
        return name

    def start(self):
        from yoto_tf.data import read_image

        codec = load_codec(self.release)
        codec.reconstruct(small_picture())
        dial = codec.settings(self.how["settings"])
        return lambda path, _: measured(codec, read_image(path), dial)
