"""Compression with the networks on a server and the range coder here.

    picture ─► analyze (server) ─► integers ─► range coder ─► bytes
    picture ◄─ synthesize (server) ◄─ integers ◄─ range coder ◄─ bytes

A stock server has none of TensorFlow Compression's ops, so the range coder runs here.
The table of each symbol is computed here too, in exact integer arithmetic from what is
decoded before: no server can make a file unreadable, and a codec with a context takes
one request, not one for each pass.
"""

import numpy as np

from yoto_tf.export.serving.client import pictures
from yoto_tf.export.serving.client.batches import by_size, for_each
from yoto_tf.export.serving.client.transport import ServingError, check_shape
from yoto_tf.zoo.codec.coding.container import Container, check_size
from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.quadtree import PASSES
from yoto_tf.zoo.codec.coding.symbol_codings import symbol_coding_of
from yoto_tf.zoo.codec.lossless.picture import decode_picture
from yoto_tf.zoo.codec.quality import vector_of
from yoto_tf.zoo.codec.second_layer.choice import with_second_layer
from yoto_tf.zoo.codec.second_layer.residual import decode_residual
from yoto_tf.zoo.pixels import as_picture

# The largest latent that is believed; the range coder takes slightly larger ones.
_LARGEST_INTEGER = 2**29


class CodecRequests:
    """The codec's part of a `Client`.

    Args:
        release: the `Release` of the codec that the server runs.
        predict: `Client.predict`.
    """

    def __init__(self, release, predict):
        self._id, self._former_ids = release.id, release.former_ids
        self._coefficients = release.coefficients
        self._coding = symbol_coding_of(release)
        self._names = [code.name for code in self._coding.codes]
        self._predict = predict
        self._server_is_known = False

    def compress(self, image, quality=None, **coefficients):
        """As `Client.compress`."""
        [data] = self.compress_many([image], quality, **coefficients)
        return data

    def compress_many(self, images, quality=None, **coefficients):
        """As `Client.compress_many`."""
        images = [as_picture(image) for image in images]
        for image in images:
            check_size(*image.shape[:2])
        settings = for_each(len(images), {"quality": quality, **coefficients})
        vectors = np.stack(
            [vector_of(self._coefficients, row.pop("quality"), row) for row in settings]
        )
        files = [b""] * len(images)
        for places in by_size(image.shape[:2] for image in images):
            batch, chosen = np.stack([images[i] for i in places]), vectors[places]
            inputs = {"image": pictures.to_float(batch), "coefficients": chosen}
            answer = self._predict(inputs, "analyze", self._names)
            arrays = self._integers(answer, *batch.shape[:3])
            for row, place in enumerate(places):
                integers = [array[row] for array in arrays]
                files[place] = self._written(batch[row], integers, chosen[row])
        return files

    def _written(self, image, integers, vector):
        """The file of a picture of which the server has given the integers."""
        self._check_server(integers, vector)
        sections = self._coding.write(integers, vector)
        values = tuple(map(float, vector))
        container = Container(self._id, values, *image.shape[:2], sections)

        def decoded():
            [received] = self._synthesized([(integers, vector, container)])
            return received

        return with_second_layer(container, image, decoded).to_bytes()

    def decompress(self, data):
        """As `Client.decompress`."""
        [image] = self.decompress_many([data])
        return image

    def decompress_many(self, files):
        """As `Client.decompress_many`."""
        containers = [Container.from_bytes(data) for data in files]
        images, coded = [None] * len(containers), []
        for place, container in enumerate(containers):
            if container.lossless is None:
                coded.append((place, *self._read(container), container))
                continue
            size = container.height, container.width
            images[place] = decode_picture(container.lossless, *size)
        for chosen in by_size(self._padded(each[-1]) for each in coded):
            group = [coded[i] for i in chosen]
            received = self._synthesized([each[1:] for each in group])
            for (place, *_, container), image in zip(group, received, strict=True):
                if container.residual is not None:
                    size = container.height, container.width
                    decode_residual(container.residual, *size)(image)
                images[place] = image
        return images

    def _read(self, container):
        """The integers and the vector of a file."""
        vector = container.vector(self._id, self._coefficients, self._former_ids)
        rows, columns = container.blocks(self._coding.codes[0].side)
        integers = self._coding.read(container.sections, rows, columns, vector)
        self._check_server(integers, vector)
        return integers, vector

    def _padded(self, container):
        """Height and width of what the server makes of a file."""
        side = self._coding.codes[0].side
        return tuple(side * blocks for blocks in container.blocks(side))

    def _synthesized(self, coded):
        """What the server makes of integers of one size, a list of uint8 [H, W, 3].

        Args:
            coded: list of (integers, vector, `Container`).
        """
        integers, vectors, containers = zip(*coded, strict=True)
        arrays = map(np.stack, zip(*integers, strict=True))
        inputs = dict(zip(self._names, arrays, strict=True))
        inputs["coefficients"] = np.stack(vectors)
        answer = self._predict(inputs, "synthesize", ["image"])["image"]
        shape = (len(coded), *self._padded(containers[0]), 3)
        return [
            image[: container.height, : container.width]
            for image, container in zip(
                pictures.received(answer, shape), containers, strict=True
            )
        ]

    def reconstruct(self, image, quality=None, **coefficients):
        """As `Client.reconstruct`."""
        image = as_picture(image)
        vector = vector_of(self._coefficients, quality, coefficients)
        inputs = {"image": pictures.to_float(image)[None], "coefficients": vector[None]}
        answer = self._predict(inputs, "reconstruct", ["image"])
        return pictures.received(answer["image"], (1, *image.shape))[0]

    def _integers(self, answer, batch, height, width):
        """The server's integers for pictures of this size, arrays [B, h, w, C].

        Raises:
            ServingError: they are for another size, or impossibly large.
        """
        first = self._coding.codes[0].side
        rows, columns = -(-height // first), -(-width // first)
        for code, channels in zip(
            self._coding.codes, self._coding.channels, strict=True
        ):
            scale = first // code.side
            shape = (batch, scale * rows, scale * columns, channels)
            check_shape(code.name, answer[code.name], shape)
            if np.abs(answer[code.name].astype("int64")).max() > _LARGEST_INTEGER:
                raise ServingError(f"the server answers with impossible {code.name}")
        return [answer[name] for name in self._names]

    def _check_server(self, integers, vector):
        """Checks, once, that the server has the weights that files are going to name.

        Raises:
            ServingError: its integer arithmetic gives other tables than ours.
        """
        if self._server_is_known:
            return
        # Without a second code there are no tables to compare.
        if len(self._names) > 1:
            level = self._coding.levels.index(vector)
            if isinstance(self._coding, ContextSymbolCoding):
                # Tables of the last pass depend on all of the arithmetic.
                signature, names = f"scales_{PASSES - 1}", self._names
                ours = self._coding.pass_indexes(PASSES - 1, *integers, level)
            else:
                signature, names = "scales", self._names[:1]
                ours = self._coding.scales(integers[0], level)
            inputs = {n: a[None] for n, a in zip(names, integers, strict=False)}
            inputs["coefficients"] = vector[None]
            theirs = self._predict(inputs, signature, ["indexes"])["indexes"]
            if not np.array_equal(ours[None], theirs):
                raise ServingError(
                    f"the server runs another model than {self._id.hex()}, which files "
                    "of this client would name"
                )
        self._server_is_known = True
