"""One picture file to a `.yoto` file, and one such file to a picture."""

import contextlib
import math

from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.imaging.metrics import bits_per_pixel, psnr
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.zoo.codec.compressed_file import CompressedFile, PretrainedById
from yoto_tf.zoo.codec.decoder import Decoder
from yoto_tf.zoo.codec.extras import Extras, attach, num_bytes, with_alpha
from yoto_tf.zoo.codec.second_layer.choice import exact


class FileCompressor:
    """Compresses picture files, one a call; threads may share it.

    Args:
        codec: function of nothing to the `Codec`, which lossless files do not call.
        lossless, effort, measure, metadata, **how: see
            `yoto_tf.zoo.codec.files.compress_files`.
        once: whether there is one file only, see `run_once`.

    Raises:
        CoefficientError: a lossless file with a setting.
    """

    def __init__(
        self,
        codec,
        *,
        lossless=False,
        effort=0,
        measure=False,
        metadata="none",
        once=False,
        **how,
    ):
        if lossless:
            check_lossless(effort, how)
        self._codec = codec
        self._lossless, self._effort, self._how = lossless, effort, how
        self._measure, self._metadata, self._once = measure, metadata, once
        self._pretrained = PretrainedById()

    def __call__(self, path, output):
        """Compresses a file.

        Args:
            path: the picture.
            output: the `.yoto` file, whose folder is made if need be.

        Returns:
            A dict: what `describe` says of the output, "input" and "output", and with
            `measure` "psnr", in dB, None for the very same pixels.

        Raises:
            DataError, FormatError: it cannot be read, compressed or written.
            CoefficientError, RecipeError: see `Codec.compress` and `yoto_tf.zoo.load`.
        """
        from yoto_tf.data.images import read_picture

        image, alpha, kept = read_picture(path, self._metadata)
        try:
            extras = Extras(alpha, kept).sections()
            if self._lossless:
                data = exact(image).to_bytes()
            else:
                how = _for_the_picture(self._how, num_bytes(extras), image)
                data = self._codec().compress(image, effort=self._effort, **how)
            data = attach(data, extras)
        except (DataError, FormatError) as error:
            raise type(error)(f"{path}: {error}") from error
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(output, data)
        names = None if self._lossless else self._codec().coefficients.names
        file = CompressedFile.of(output, data)
        described = {
            "input": str(path),
            "output": str(output),
            **file.description(self._pretrained, names),
        }
        if self._measure:
            reached = math.inf
            if not self._lossless:
                with _runs(self._once, file):
                    reached = psnr(image, self._codec().decode(file.container))
            described["psnr"] = None if reached == math.inf else reached
        return described


class FileDecompressor:
    """Decodes `.yoto` files, one a call; threads may share it.

    Args:
        model: see `Decoder`.
        once: whether there is one file only, see `run_once`.
    """

    def __init__(self, model=None, once=False):
        self._pretrained, self._once = PretrainedById(), once
        self._decoder = Decoder(model, self._pretrained)

    def __call__(self, file, output):
        """Decodes a file, with its transparency and metadata as far as they fit.

        Args:
            file: a `CompressedFile`.
            output: the picture, whose folder is made if need be.

        Returns:
            A dict: what `describe` says of the file, "input" and "output".

        Raises:
            DataError, FormatError: it cannot be decoded or written.
            RecipeError: see `yoto_tf.zoo.load`.
        """
        from yoto_tf.data.images import WITH_ALPHA, format_to_write, write_image

        with _runs(self._once, file):
            image, names = self._decoder.decode(file)
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
            **file.description(self._pretrained, names),
        }


def check_lossless(effort, how):
    """Checks that a lossless file is given no setting.

    Raises:
        CoefficientError: it is.
    """
    if effort or any(value is not None for value in how.values()):
        raise CoefficientError(
            "a lossless file has no quality, target, coefficient or effort"
        )


def _runs(once, file):
    """The context to decode a `CompressedFile` in: `run_once` for a single one.

    Not to encode in: a latent that is rounded the other way would make other bytes of
    the same picture.
    """
    if not once or file.container.lossless is not None:
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
