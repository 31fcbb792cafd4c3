"""The codec as a user meets it: pictures to bytes and back."""

import dataclasses
import threading

from keras import ops

from yoto_tf.errors import CoefficientError, FormatError
from yoto_tf.machine.compilation import compiled
from yoto_tf.zoo.codec.coding.container import Container, check_size, shortest_decimal
from yoto_tf.zoo.codec.coding.refinement import STEPS, Refiner
from yoto_tf.zoo.codec.coding.target_search import compress_to_target
from yoto_tf.zoo.codec.lossless.picture import decode_picture

# Registers the networks that a release names.
from yoto_tf.zoo.codec.network.context_hyperprior import ContextHyperprior  # noqa: F401
from yoto_tf.zoo.codec.network.factorized_prior import FactorizedPrior  # noqa: F401
from yoto_tf.zoo.codec.network.hyperprior import Hyperprior  # noqa: F401
from yoto_tf.zoo.codec.quality import check_effort, vector_of
from yoto_tf.zoo.codec.second_layer.choice import (
    exact,
    may_be_missed,
    with_second_layer,
)
from yoto_tf.zoo.codec.second_layer.residual import decode_residual
from yoto_tf.zoo.codec.tiling.tiled_networks import to_pixels
from yoto_tf.zoo.pixels import as_picture
from yoto_tf.zoo.pretrained import Pretrained
from yoto_tf.zoo.quantization import quantize_kernels
from yoto_tf.zoo.release import Release


class Codec(Pretrained):
    """A pretrained image codec with a dial.

    Large pictures run through the network in tiles, so that the memory it takes does
    not grow with them; the result is that of the whole. Threads may share a codec: its
    network, which uses all cores, serves one picture at a time, while others are range
    coded.

    Args:
        release: a `Release` of the family "codec".
        precision: Keras dtype policy of the networks, `"float32"` or
            `"mixed_bfloat16"`. Files written in one decode in the other.

    Attributes:
        model: the Keras network itself.
        coefficients: its `yoto_tf.Coefficients`.
        graphs: the network's graphs from pictures to integers and back, see
            `yoto_tf.zoo.codec.coding.network_coding`.
        coding: what turns these integers into bytes.
        model_id: 8 bytes that name the release in the files it writes.
        card: the model card, Markdown.

    Example:
        >>> codec = yoto_tf.zoo.load("codec")
        >>> data = codec.compress(image, distortion=0.02)
        >>> image = codec.decompress(data)
    """

    family = "codec"

    def __init__(self, release, precision="float32"):
        super().__init__(release, precision)
        self.graphs = self.model.coding(self.model, release.tables)
        self.coding = self.graphs.coder
        self.model_id = release.id
        self._analyze = compiled(self.graphs.analyze)
        self._synthesize = compiled(self._pixels)
        self._tiled = self.graphs.tiled(self.graphs)
        self._refiner = Refiner(self.model)
        self._network_in_use = threading.Lock()

    @classmethod
    def from_network(cls, network, card="", eight_bits=False):
        """A codec from a freshly trained network: rounds it and builds its tables.

        Args:
            network: a built `Hyperprior` or `FactorizedPrior`; it is left as it is.
            card: the model card, Markdown.
            eight_bits: whether kernels are rounded to 8 bits, see `quantize_kernels`.

        Raises:
            RecipeError: weights that float16 cannot hold.
        """
        rounded = Release.from_network(cls.family, network)
        if eight_bits:
            weights = quantize_kernels(network, rounded.weights, network.precise_layers)
            rounded = dataclasses.replace(rounded, weights=weights)
        exact = rounded.network()
        tables = exact.coding.build_tables(exact)
        return cls(dataclasses.replace(rounded, tables=tables, card=card))

    def vector(self, quality=None, **coefficients):
        """The coefficient vector [1] of a quality in [0, 1] or of named coefficients.

        Raises:
            CoefficientError: both or out-of-range values.
        """
        return vector_of(self.coefficients, quality, coefficients)

    def settings(self, count):
        """`count` settings of the dial, evenly spaced in log λ from end to end.

        Returns:
            A list of dicts {coefficient: value}.
        """
        return [
            dict(zip(self.coefficients.names, map(shortest_decimal, row), strict=True))
            for row in self.coefficients.grid(count)
        ]

    def compress(
        self,
        image,
        quality=None,
        *,
        target_bpp=None,
        target_psnr=None,
        target_size=None,
        lossless=False,
        effort=0,
        **coefficients,
    ):
        """Compresses a picture.

        Where the networks miss by far what is asked for, as in text or dither, the file
        holds a second layer; see `yoto_tf.zoo.codec.second_layer`.

        Args:
            image: uint8 [H, W, 3], H, W from 1 to 65,535, at most 2^27 pixels.
            quality: 0 (smallest) to 1 (best), a position on the coefficient's
                logarithmic range; or
            target_bpp: bits per pixel of the file, met within 1 %; or
            target_psnr: PSNR in dB, met within 0.05 dB; or
            target_size: bytes of the file, never exceeded and met within 1 %; or
            lossless: true for a file from which the very same picture is decoded; or
            **coefficients: `distortion=λ` with λ · MSE + bits per pixel minimised.
            effort: time to spend on a better picture in as many bytes, from 0, none, to
                9, see `yoto_tf.zoo.codec.coding.refinement`. Decoding takes no longer.

        Returns:
            bytes, the content of a `.yoto` file. The same picture and coefficient give
            the same bytes.

        Raises:
            DataError: not such an image, or one that cannot meet the target.
            FormatError: an image larger than the format holds.
            CoefficientError: see `vector`.
        """
        image = _checked_image(image)
        targets = {"bpp": target_bpp, "psnr": target_psnr, "size": target_size}
        targets = {unit: goal for unit, goal in targets.items() if goal is not None}
        if targets or lossless:
            ways = len(targets) + bool(lossless) + (quality is not None)
            if ways > 1 or coefficients:
                raise CoefficientError(
                    "give one target, a quality, coefficients or lossless, not two of "
                    "them"
                )
        check_effort(effort)
        if lossless:
            return exact(image).to_bytes()
        if targets:
            [(unit, goal)] = targets.items()
            return compress_to_target(self, image, unit, goal, effort)
        vector = self.vector(quality, **coefficients)
        return self._coded(image, vector, effort).to_bytes()

    def decompress(self, data, max_pixels=None):
        """Decodes what `compress` returned.

        Args:
            data: bytes, or what holds bytes, such as a bytearray or a memoryview.
            max_pixels: the largest H · W; a larger picture is refused before memory is
                taken for it. None for what the format holds, 2^27.

        Returns:
            uint8 [H, W, 3].

        Raises:
            FormatError: a damaged or foreign file, one of another model, one with more
                pixels than `max_pixels`, or no bytes.
        """
        try:
            data = bytes(memoryview(data))
        except TypeError as error:
            raise FormatError(f"expected bytes, got {type(data).__name__}") from error
        container = Container.from_bytes(data)
        pixels = container.height * container.width
        if max_pixels is not None and pixels > max_pixels:
            raise FormatError(
                f"a picture of {container.width} × {container.height} pixels, expected "
                f"at most {max_pixels:,}"
            )
        return self.decode(container)

    def decode(self, container):
        """Decodes the `Container` of a file.

        Returns:
            uint8 [H, W, 3].

        Raises:
            FormatError: one of another model, or with damaged sections.
        """
        size = container.height, container.width
        if container.lossless is not None:
            return decode_picture(container.lossless, *size)
        vector = container.vector(
            self.model_id, self.coefficients, self.release.former_ids
        )
        rows, columns = container.blocks(self.model.multiple)
        integers = self.coding.read(container.sections, rows, columns, vector)
        correct = None
        if container.residual is not None:
            correct = decode_residual(container.residual, *size)
        image = self._decode(integers, vector)[: size[0], : size[1]]
        if correct is None:
            return image
        image = image.copy()
        correct(image)
        return image

    def reconstruct(self, image, quality=None, **coefficients):
        """What `decompress(compress(image))` gives, without the bytes in between."""
        image = _checked_image(image)
        vector = self.vector(quality, **coefficients)
        if may_be_missed(image, float(vector[0])).any():
            return self.decode(self._coded(image, vector))
        decoded = self._decode(self._encode(image, vector), vector)
        return decoded[: image.shape[0], : image.shape[1]]

    def _coded(self, image, vector, effort=0):
        """The `Container` of a checked picture."""
        integers = self._encode(image, vector, effort)
        sections = self.coding.write(integers, vector)
        height, width = image.shape[:2]
        values = tuple(float(value) for value in vector)
        container = Container(self.model_id, values, height, width, sections)
        return with_second_layer(
            container,
            image,
            lambda: self._decode(integers, vector)[:height, :width],
        )

    def _encode(self, image, vector, effort=0):
        """Picture to integer arrays, without batch axis."""
        with self._network_in_use:
            if effort:
                codes = self._tiled.unrounded(image, vector)
                self._refiner.refine(codes, image, vector, STEPS[effort])
                return self._tiled.rounded(codes, vector)
            if not self._tiled.fits_at_once(*image.shape[:2]):
                return self._tiled.analyze(image, vector)
            integers = self._analyze(
                ops.convert_to_tensor(image[None]), ops.convert_to_tensor(vector[None])
            )
            return [ops.convert_to_numpy(array)[0] for array in integers]

    def _decode(self, integers, vector):
        """Integer arrays, which may be overwritten, to a padded uint8 picture."""
        height, width = (16 * side for side in integers[-1].shape[:2])
        with self._network_in_use:
            if not self._tiled.fits_at_once(height, width):
                return self._tiled.synthesize(integers, vector)
            inputs = [*integers, vector]
            image = self._synthesize(*(ops.convert_to_tensor(x[None]) for x in inputs))
            return ops.convert_to_numpy(image)[0]

    def _pixels(self, *inputs):
        return to_pixels(self.graphs.synthesize(*inputs))


def _checked_image(image):
    image = as_picture(image)
    check_size(*image.shape[:2])
    return image
