"""The codec as a user meets it: pictures to bytes and back."""

import dataclasses

import numpy as np
from keras import ops

from yoto_tf import entropy
from yoto_tf.compilation import compiled
from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.zoo.codec.container import Container
from yoto_tf.zoo.codec.hyperprior import channelwise
from yoto_tf.zoo.codec.integer_scales import IntegerScales
from yoto_tf.zoo.codec.padding import pad_to_multiple
from yoto_tf.zoo.release import Release, write_release

# Levels of the coefficient that have integer tables. Between two of them the scales
# differ by 8 %, less than between two entries of the scale table.
LEVELS = 32


@dataclasses.dataclass(frozen=True)
class Tables:
    """All integers that encoder and decoder must share, built once.

    Attributes:
        edges: float32 [LEVELS − 1], where one level of the coefficient ends.
        scales: the integer scale tower.
        hyper_latents: coding tables, index level · N + channel.
        latents: coding tables, index in the scale table.
    """

    edges: np.ndarray
    scales: IntegerScales
    hyper_latents: entropy.CodingTables
    latents: entropy.CodingTables

    @classmethod
    def from_network(cls, network):
        """Builds the tables of a trained `Hyperprior`."""
        steps = np.linspace(0, 1, 2 * LEVELS + 1)
        points = [float(network.coefficients.at(step)[0]) for step in steps]
        vectors = np.array(points[1::2], "float32")[:, None]
        embedding = network.embedding(ops.convert_to_tensor(vectors))
        return cls(
            edges=np.array(points[2:-1:2], "float32"),
            scales=IntegerScales.from_network(network, vectors),
            hyper_latents=network.prior.coding_tables(
                *map(
                    ops.convert_to_numpy,
                    network.prior_film.scale_and_shift(embedding),
                )
            ),
            latents=network.conditional.coding_tables(),
        )

    def to_arrays(self):
        """A flat dict of integer and float32 arrays."""
        parts = {
            "scales": self.scales.to_arrays(),
            "hyper_latents": self.hyper_latents.to_arrays(),
            "latents": self.latents.to_arrays(),
        }
        arrays = {
            f"{part}/{name}": array
            for part, members in parts.items()
            for name, array in members.items()
        }
        return {"edges": self.edges, **arrays}

    @classmethod
    def from_arrays(cls, arrays):
        """Restores what `to_arrays` returned."""

        def part(prefix):
            start = len(prefix) + 1
            return {
                name[start:]: array
                for name, array in arrays.items()
                if name.startswith(f"{prefix}/")
            }

        return cls(
            edges=arrays["edges"],
            scales=IntegerScales.from_arrays(part("scales")),
            hyper_latents=entropy.CodingTables.from_arrays(part("hyper_latents")),
            latents=entropy.CodingTables.from_arrays(part("latents")),
        )

    def level(self, coefficient):
        """The level of a raw coefficient: float32 comparisons only."""
        return int(np.searchsorted(self.edges, np.float32(coefficient)))


class Codec:
    """A pretrained image codec with a dial.

    Args:
        release: a `Release` of the family "codec".
        precision: Keras dtype policy of the networks, `"float32"` or
            `"mixed_bfloat16"`. Files written in one decode in the other.

    Attributes:
        model: the Keras network itself.
        coefficients: its `yoto_tf.Coefficients`.
        tables: its `Tables`.
        model_id: 8 bytes that name weights and tables in the files it writes.
        card: the model card, Markdown.

    Example:
        >>> codec = yoto_tf.zoo.load("codec")
        >>> data = codec.compress(image, distortion=0.02)
        >>> image = codec.decompress(data)
    """

    def __init__(self, release, precision="float32"):
        self.release = release
        self.model = release.network(precision)
        self.coefficients = self.model.coefficients
        self.tables = Tables.from_arrays(release.tables)
        self.model_id = release.id
        self.card = release.card
        self._analyze = compiled(self._analyze_graph)
        self._synthesize = compiled(self._synthesize_graph)

    @classmethod
    def from_network(cls, network, card=""):
        """A codec from a freshly trained network: rounds it and builds its tables.

        Args:
            network: a built `Hyperprior`; it is left as it is.
            card: the model card, Markdown.

        Raises:
            RecipeError: weights that float16 cannot hold.
        """
        rounded = Release.from_network("codec", network)
        tables = Tables.from_network(rounded.network()).to_arrays()
        return cls(dataclasses.replace(rounded, tables=tables, card=card))

    def save(self, directory):
        """Writes a release that `yoto_tf.zoo.load(directory)` loads."""
        write_release(directory, self.release)

    def vector(self, quality=None, **coefficients):
        """The coefficient vector [1] of a quality in [0, 1] or of named coefficients.

        Raises:
            CoefficientError: both or out-of-range values.
        """
        if quality is None:
            return self.coefficients.vector(**coefficients)
        if coefficients:
            raise CoefficientError("give either a quality or coefficients, not both")
        if not 0 <= quality <= 1:
            raise CoefficientError(f"quality lies in [0, 1], got {quality:g}")
        return self.coefficients.at(quality)

    def compress(self, image, quality=None, **coefficients):
        """Compresses a picture.

        Args:
            image: uint8 [H, W, 3], H, W from 1 to 65,535, at most 100 megapixels.
            quality: 0 (smallest) to 1 (best), a position on the coefficient's
                logarithmic range; or
            **coefficients: `distortion=λ` with λ · MSE + bits per pixel minimised.

        Returns:
            bytes, the content of a `.yoto` file. The same picture and coefficient give
            the same bytes.

        Raises:
            DataError: not such an image.
            CoefficientError: see `vector`.
        """
        image = _checked_image(image)
        vector = self.vector(quality, **coefficients)
        hyper_latents, symbols = self._encode(image, vector)
        level = self.tables.level(vector[0])
        indexes = self.tables.scales(hyper_latents, level)
        sections = (
            entropy.encode(
                hyper_latents.ravel(),
                self._hyper_indexes(hyper_latents.shape, level),
                self.tables.hyper_latents,
            ),
            entropy.encode(symbols.ravel(), indexes.ravel(), self.tables.latents),
        )
        height, width = image.shape[:2]
        values = tuple(float(value) for value in vector)
        return Container(self.model_id, values, height, width, sections).to_bytes()

    def decompress(self, data):
        """Decodes what `compress` returned.

        Args:
            data: bytes.

        Returns:
            uint8 [H, W, 3].

        Raises:
            FormatError: a damaged or foreign file, or one of another model.
        """
        container = Container.from_bytes(data)
        if container.model_id != self.model_id:
            raise FormatError(
                f"written by model {container.model_id.hex()}, "
                f"this is model {self.model_id.hex()}"
            )
        try:
            vector = self.coefficients.validate(container.coefficients)
        except CoefficientError as error:
            raise FormatError(f"damaged .yoto file: {error}") from error
        level = self.tables.level(vector[0])
        multiple = self.model.multiple
        rows = -(-container.height // multiple)
        columns = -(-container.width // multiple)
        shape = (rows, columns, self.model.hyper_filters)
        hyper_latents = entropy.decode(
            container.sections[0],
            self._hyper_indexes(shape, level),
            self.tables.hyper_latents,
        ).reshape(shape)
        indexes = self.tables.scales(hyper_latents, level)
        symbols = entropy.decode(
            container.sections[1], indexes.ravel(), self.tables.latents
        ).reshape(indexes.shape)
        image = self._decode(hyper_latents, symbols, vector)
        return image[: container.height, : container.width]

    def reconstruct(self, image, quality=None, **coefficients):
        """What `decompress(compress(image))` gives, without the bytes in between."""
        image = _checked_image(image)
        vector = self.vector(quality, **coefficients)
        decoded = self._decode(*self._encode(image, vector), vector)
        return decoded[: image.shape[0], : image.shape[1]]

    def _encode(self, image, vector):
        """Picture to integer hyper-latents [h, w, N] and symbols [4h, 4w, C]."""
        parts = self._analyze(
            ops.convert_to_tensor(image[None]), ops.convert_to_tensor(vector[None])
        )
        return [ops.convert_to_numpy(part)[0] for part in parts]

    def _decode(self, hyper_latents, symbols, vector):
        """Integer hyper-latents and symbols to a padded uint8 picture."""
        image = self._synthesize(
            ops.convert_to_tensor(hyper_latents[None]),
            ops.convert_to_tensor(symbols[None]),
            ops.convert_to_tensor(vector[None]),
        )
        return ops.convert_to_numpy(image)[0]

    def _analyze_graph(self, image, coefficients):
        network = self.model
        image = ops.cast(image, "float32") / 255.0
        embedding = network.embedding(coefficients)
        latents = network.analyze(pad_to_multiple(image, network.multiple), embedding)
        hyper_latents = ops.round(network.hyper_analyze(latents, embedding))
        mean = network.mean(hyper_latents, embedding)
        gain = channelwise(ops.exp(network.log_gain(embedding)))
        symbols = ops.round(latents * gain - mean)
        return ops.cast(hyper_latents, "int32"), ops.cast(symbols, "int32")

    def _synthesize_graph(self, hyper_latents, symbols, coefficients):
        network = self.model
        embedding = network.embedding(coefficients)
        mean = network.mean(ops.cast(hyper_latents, "float32"), embedding)
        quantized = ops.cast(symbols, "float32") + mean
        image = network.synthesize(quantized, embedding) * 255.0
        return ops.cast(ops.round(ops.clip(image, 0.0, 255.0)), "uint8")

    def _hyper_indexes(self, shape, level):
        channels = shape[-1]
        row = level * channels + np.arange(channels, dtype="int32")
        return np.broadcast_to(row, shape).ravel()


def _checked_image(image):
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise DataError(
            f"expected a uint8 image [height, width, 3], got {image.dtype} "
            f"{list(image.shape)}"
        )
    return image
