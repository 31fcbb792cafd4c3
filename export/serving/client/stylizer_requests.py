"""Style transfer on a server."""

from yoto_tf.export.serving.client import pictures
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
        image = as_picture(image)
        inputs = {
            "image": pictures.to_float(image)[None],
            "coefficients": self._coefficients.vector(**coefficients)[None],
            "style": style_weights(style, self._styles)[None],
        }
        answer = self._predict(inputs, "stylize")["image"]
        return pictures.received(answer, (1, *image.shape))[0]
