"""Style transfer on a server."""

import numpy as np

from yoto_tf.export.serving.client import pictures
from yoto_tf.export.serving.client.batches import by_size, for_each
from yoto_tf.zoo.pixels import as_picture
from yoto_tf.zoo.stylization.styles import style_weights


class StylizerRequests:
    """The stylizer's part of a `Client`.

    Args:
        release: the `Release` of the stylizer that the server runs.
        predict: `Client.predict`.
    """

    def __init__(self, release, predict):
        self._coefficients = release.coefficients
        self._styles = tuple(release.config["config"]["styles"])
        self._predict = predict

    def stylize(self, image, style, **coefficients):
        """As `Client.stylize`."""
        [stylized] = self.stylize_many([image], style, **coefficients)
        return stylized

    def stylize_many(self, images, style, **coefficients):
        """As `Client.stylize_many`."""
        images = [as_picture(image) for image in images]
        settings = for_each(len(images), {"style": style, **coefficients})
        weights = [style_weights(row.pop("style"), self._styles) for row in settings]
        vectors = [self._coefficients.vector(**row) for row in settings]
        stylized = [None] * len(images)
        for places in by_size(image.shape[:2] for image in images):
            batch = np.stack([images[place] for place in places])
            inputs = {
                "image": pictures.to_float(batch),
                "coefficients": np.stack([vectors[place] for place in places]),
                "style": np.stack([weights[place] for place in places]),
            }
            answer = self._predict(inputs, "stylize")["image"]
            received = pictures.received(answer, batch.shape)
            for place, image in zip(places, received, strict=True):
                stylized[place] = image
        return stylized
