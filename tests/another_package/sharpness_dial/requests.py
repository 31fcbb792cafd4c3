"""Upscaling on a server."""

from yoto_tf.export.serving.client import pictures
from yoto_tf.zoo.pixels import as_picture


class UpscalerRequests:
    """The upscaler's part of a `Client`."""

    def __init__(self, release, predict):
        self._coefficients = release.coefficients
        self._predict = predict

    def upscale(self, image, **coefficients):
        inputs = {
            "image": pictures.to_float(as_picture(image))[None],
            "coefficients": self._coefficients.vector(**coefficients)[None],
        }
        return pictures.to_uint8(self._predict(inputs, "upscale")["image"][0])
