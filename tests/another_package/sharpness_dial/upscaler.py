"""The upscaler as a user meets it."""

import dataclasses

import numpy as np

from sharpness_dial.network import UpscalingNetwork  # noqa: F401
from yoto_tf.zoo.pretrained import Pretrained
from yoto_tf.zoo.release import Release


class Upscaler(Pretrained):
    """Pictures uint8 [H, W, 3] to pictures uint8 [2H, 2W, 3]."""

    family = "sharpness"

    @classmethod
    def from_network(cls, network, card=""):
        release = Release.from_network(cls.family, network)
        return cls(dataclasses.replace(release, card=card))

    def upscale(self, image, **coefficients):
        vector = self.coefficients.vector(**coefficients)
        inputs = {"image": np.float32(image[None] / 255), "coefficients": vector[None]}
        outputs = np.asarray(self.model(inputs))[0]
        return np.rint(np.clip(outputs, 0, 1) * 255).astype("uint8")
