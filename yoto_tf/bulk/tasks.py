"""What can be done with each of many pictures.

A task can be pickled, and holds its model: workers need no file of it.
"""

import dataclasses
import functools
import json
from pathlib import PurePosixPath

from yoto_tf import zoo
from yoto_tf.errors import CoefficientError
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.pairing import PICTURES_TO_READ, Kind
from yoto_tf.zoo.release import Release


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is done with one file, and how.

    Attributes:
        name: as the command line has it.
        release: the model, or None.
        settings: what else decides the output, as JSON.
        read: the `Kind` of the inputs.
        written: the `Kind` of the outputs.
    """

    name: str
    release: Release | None
    settings: str
    read: Kind
    written: Kind

    @property
    def model_id(self):
        """Of the release, as a text; empty if there is none."""
        return "" if self.release is None else self.release.id.hex()

    def renamed(self, name):
        """The name of the output of an input, both paths with `/`."""
        raise NotImplementedError

    def start(self):
        """Loads the model; a function of the paths of an input and an output.

        It writes the output and returns a dict for the manifest; it raises DataError
        or FormatError.
        """
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class _Compression(Task):
    how: dict

    def renamed(self, name):
        from yoto_tf.zoo.codec.files import SUFFIX

        return str(PurePosixPath(name).with_suffix(SUFFIX))

    def start(self):
        from yoto_tf.zoo.codec.decoder import load_codec
        from yoto_tf.zoo.codec.file_conversion import FileCompressor

        codec = None
        if self.release is not None:
            codec = functools.cache(functools.partial(load_codec, self.release))
            codec().reconstruct(_small_picture())
        return FileCompressor(codec, **self.how)


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
    from yoto_tf.zoo.codec.file_conversion import check_lossless
    from yoto_tf.zoo.codec.files import COMPRESSED
    from yoto_tf.zoo.codec.quality import check_effort, vector_of

    how = {name: value for name, value in how.items() if value is not None}
    release = None
    if lossless:
        check_lossless(effort, how)
    else:
        check_effort(effort)
        release = _release(model, "codec")
        targets = {"target_bpp", "target_psnr", "target_size"} & how.keys()
        if targets and len(how) > 1:
            raise CoefficientError(f"give one setting, got {', '.join(sorted(how))}")
        if not targets:
            coefficients = dict(how)
            quality = coefficients.pop("quality", None)
            vector_of(release.coefficients, quality, coefficients)
    how |= {"lossless": lossless, "effort": effort, "metadata": metadata}
    how["measure"] = measure
    return _Compression(
        name="compress",
        release=release,
        settings=json.dumps({"task": "compress", **how}, sort_keys=True),
        read=PICTURES_TO_READ,
        written=COMPRESSED,
        how=how,
    )


def _release(model, family):
    from yoto_tf.zoo.release import check_shapes

    release = zoo.release_of(model, check_shapes)
    check_family(model, release, family)
    return release


def _small_picture():
    """uint8 [64, 64, 3]: running a network once prepares it for all pictures."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
