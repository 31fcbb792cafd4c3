"""Compression with the networks on a server and the range coder here.

    picture ─► analyze (server) ─► integers ─► range coder ─► bytes
    picture ◄─ synthesize (server) ◄─ integers ◄─ range coder ◄─ bytes

A stock server has none of TensorFlow Compression's ops, so the range coder runs here.
The table of each symbol is computed here too, from the hyper-latents and in exact
integer arithmetic: no server can make a file unreadable.
"""

import numpy as np

from yoto_tf.export.serving.client import pictures
from yoto_tf.export.serving.client.transport import ServingError, check_shape
from yoto_tf.zoo.codec.coding.container import Container, check_size
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
        image = as_picture(image)
        height, width = image.shape[:2]
        check_size(height, width)
        vector = vector_of(self._coefficients, quality, coefficients)
        inputs = {"image": pictures.to_float(image)[None], "coefficients": vector[None]}
        answer = self._predict(inputs, "analyze", self._names)
        integers = self._integers(answer, height, width)
        self._check_server(integers, vector)
        sections = self._coding.write(integers, vector)
        values = tuple(map(float, vector))
        container = Container(self._id, values, height, width, sections)
        container = with_second_layer(
            container, image, lambda: self._synthesized(integers, vector, container)
        )
        return container.to_bytes()

    def decompress(self, data):
        """As `Client.decompress`."""
        container = Container.from_bytes(data)
        size = container.height, container.width
        if container.lossless is not None:
            return decode_picture(container.lossless, *size)
        vector = container.vector(self._id, self._coefficients, self._former_ids)
        rows, columns = container.blocks(self._coding.codes[0].side)
        integers = self._coding.read(container.sections, rows, columns, vector)
        self._check_server(integers, vector)
        image = self._synthesized(integers, vector, container)
        if container.residual is not None:
            decode_residual(container.residual, *size)(image)
        return image

    def _synthesized(self, integers, vector, container):
        """What the server makes of a picture's integers, uint8 [H, W, 3]."""
        inputs = dict(zip(self._names, integers, strict=True), coefficients=vector)
        inputs = {name: array[None] for name, array in inputs.items()}
        answer = self._predict(inputs, "synthesize", ["image"])["image"]
        side = self._coding.codes[0].side
        rows, columns = container.blocks(side)
        image = pictures.received(answer, (1, side * rows, side * columns, 3))[0]
        return image[: container.height, : container.width]

    def reconstruct(self, image, quality=None, **coefficients):
        """As `Client.reconstruct`."""
        image = as_picture(image)
        vector = vector_of(self._coefficients, quality, coefficients)
        inputs = {"image": pictures.to_float(image)[None], "coefficients": vector[None]}
        answer = self._predict(inputs, "reconstruct", ["image"])
        return pictures.received(answer["image"], (1, *image.shape))[0]

    def _integers(self, answer, height, width):
        """The server's integers for a picture of this size, without batch axis.

        Raises:
            ServingError: they are for another size, or impossibly large.
        """
        first = self._coding.codes[0].side
        rows, columns = -(-height // first), -(-width // first)
        for code, channels in zip(
            self._coding.codes, self._coding.channels, strict=True
        ):
            scale = first // code.side
            shape = (1, scale * rows, scale * columns, channels)
            check_shape(code.name, answer[code.name], shape)
            if np.abs(answer[code.name].astype("int64")).max() > _LARGEST_INTEGER:
                raise ServingError(f"the server answers with impossible {code.name}")
        return [answer[name][0] for name in self._names]

    def _check_server(self, integers, vector):
        """Checks, once, that the server has the weights that files are going to name.

        Raises:
            ServingError: its integer arithmetic gives other tables than ours.
        """
        if self._server_is_known:
            return
        # Without a second code there are no tables to compare.
        first = self._coding.codes[0].name
        for code in self._coding.codes[1:]:
            inputs = {first: integers[0][None], "coefficients": vector[None]}
            theirs = self._predict(inputs, "scales", [code.indexes])[code.indexes]
            ours = self._coding.scales(integers[0], self._coding.levels.index(vector))
            if not np.array_equal(ours[None], theirs):
                raise ServingError(
                    f"the server runs another model than {self._id.hex()}, which files "
                    "of this client would name"
                )
        self._server_is_known = True
