"""Pictures from pictures and from noise on a server."""

import numpy as np

from yoto_tf.errors import DataError
from yoto_tf.export.serving.client import pictures


class VAERequests:
    """The VAE's part of a `Client`.

    Args:
        release: the `Release` of the VAE that the server runs.
        predict: `Client.predict`.
    """

    def __init__(self, release, predict):
        self._coefficients = release.coefficients
        self._latents = release.config["config"]["latents"]
        self._image_shape = tuple(release.config["config"]["image_shape"])
        self._predict = predict

    def sample(self, number, seed=None, **coefficients):
        """As `Client.sample`."""
        if number < 1:
            raise DataError(f"expected at least 1 picture to sample, got {number}")
        random = np.random.default_rng(seed)
        noise = random.standard_normal((number, self._latents), "float32")
        shape = (number, *self._image_shape)
        return self._ask("sample", "noise", noise, coefficients, shape)

    def reconstruct(self, images, **coefficients):
        """As `Client.reconstruct`."""
        images = np.asarray(images)
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(
                f"expected uint8 images [number, height, width, channels], got "
                f"{images.dtype} {list(images.shape)}"
            )
        floats = pictures.to_float(images)
        return self._ask("reconstruct", "image", floats, coefficients, images.shape)

    def _ask(self, signature, name, rows, coefficients, shape):
        vector = self._coefficients.vector(**coefficients)
        # One row for each picture: a server that joins requests insists on it.
        vectors = np.tile(vector, (len(rows), 1))
        answer = self._predict({name: rows, "coefficients": vectors}, signature)
        return pictures.received(answer["image"], shape)
