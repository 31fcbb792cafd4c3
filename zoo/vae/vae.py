"""The β-VAE as a user meets it: pictures from noise, and pictures from pictures."""

import dataclasses

import numpy as np
from keras import ops

from yoto_tf.errors import DataError
from yoto_tf.machine.compilation import compiled
from yoto_tf.zoo.pretrained import Pretrained
from yoto_tf.zoo.release import Release

# Registers the network that a release names.
from yoto_tf.zoo.vae.conv_vae import ConvVAE  # noqa: F401
from yoto_tf.zoo.vae.latent_paths import LatentPaths

# Pictures that are in the network at a time.
_BATCH = 256


class VAE(LatentPaths, Pretrained):
    """A pretrained β-VAE with a dial.

    A small β keeps much of a picture in the latents: faithful reconstructions. A large
    one keeps little: plain reconstructions, soft samples.

    Args:
        release: a `Release` of the family "vae".
        precision: Keras dtype policy of the network, `"float32"` or
            `"mixed_bfloat16"`.

    Attributes:
        model: the Keras network itself.
        coefficients: its `yoto_tf.Coefficients`, with the one name `kl`, which is β.
        card: the model card, Markdown.

    Example:
        >>> vae = yoto_tf.zoo.load("vae-cifar10")
        >>> pictures = vae.sample(16, kl=4.0)
    """

    family = "vae"

    def __init__(self, release, precision="float32"):
        super().__init__(release, precision)
        self._encode = compiled(self._posterior)
        self._decode = compiled(self._pixels)

    @classmethod
    def from_network(cls, network, card=""):
        """A VAE from a freshly trained network, its weights rounded to float16.

        Args:
            network: a built `ConvVAE`; it is left as it is.
            card: the model card, Markdown.

        Raises:
            RecipeError: weights that float16 cannot hold.
        """
        release = Release.from_network(cls.family, network)
        return cls(dataclasses.replace(release, card=card))

    def settings(self, count):
        """The dial: `count` settings {"kl": β}, evenly spaced in log β."""
        return [
            dict(zip(self.coefficients.names, map(float, vector), strict=True))
            for vector in self.coefficients.grid(count)
        ]

    def sample(self, number, seed=None, **coefficients):
        """Draws pictures.

        They are the means of the pixels given the latents; noise of the pixels
        themselves is not added.

        Args:
            number: how many, ≥ 1.
            seed: integer ≥ 0 for the same pictures every time, or None. The same seed
                draws the same latents for every β.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            uint8 [number, H, W, C].

        Raises:
            DataError: fewer than one picture.
            CoefficientError: an unknown name, or a value out of range.
        """
        if number < 1:
            raise DataError(f"expected at least 1 picture to sample, got {number}")
        random = np.random.default_rng(seed)
        latents = random.standard_normal((number, self.model.latents), "float32")
        return self.decode(latents, **coefficients)

    def encode(self, images, **coefficients):
        """The posterior of each picture's latents, a normal distribution.

        Args:
            images: uint8 [N, H, W, C], of the network's size.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            Mean and standard deviation, each float32 [N, D]. A latent that carries
            nothing at this β has about mean 0 and deviation 1.

        Raises:
            DataError: not such images.
            CoefficientError: an unknown name, or a value out of range.
        """
        images = self._checked(images)
        return self._in_batches(self._encode, images, coefficients)

    def decode(self, latents, **coefficients):
        """Latents float32 [N, D] to uint8 [N, H, W, C]; see `sample`.

        Raises:
            DataError: not such latents.
            CoefficientError: an unknown name, or a value out of range.
        """
        latents = np.asarray(latents, "float32")
        if latents.ndim != 2 or latents.shape[1] != self.model.latents:
            raise DataError(
                f"expected latents [N, {self.model.latents}], got {list(latents.shape)}"
            )
        (images,) = self._in_batches(self._decode, latents, coefficients)
        return images

    def reconstruct(self, images, **coefficients):
        """Pictures from the means of the latents of pictures.

        Args:
            images: uint8 [N, H, W, C], of the network's size.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            uint8 [N, H, W, C].

        Raises:
            DataError, CoefficientError: see `encode`.
        """
        mean, _ = self.encode(images, **coefficients)
        return self.decode(mean, **coefficients)

    def _posterior(self, images, coefficients):
        embedding = self.model.embedding(coefficients)
        return self.model.encode(ops.cast(images, "float32") / 255.0, embedding)

    def _pixels(self, latents, coefficients):
        embedding = self.model.embedding(coefficients)
        image = self.model.decode(latents, embedding)["reconstruction"] * 255.0
        return (ops.cast(ops.round(ops.clip(image, 0.0, 255.0)), "uint8"),)

    def _in_batches(self, function, rows, coefficients):
        """Applies a compiled function to rows at one setting; a list of arrays."""
        vector = self.coefficients.vector(**coefficients)
        parts = []
        for start in range(0, len(rows), _BATCH):
            some = rows[start : start + _BATCH]
            vectors = np.tile(vector, (len(some), 1))
            outputs = function(*map(ops.convert_to_tensor, (some, vectors)))
            parts.append([ops.convert_to_numpy(output) for output in outputs])
        return [np.concatenate(column) for column in zip(*parts, strict=True)]

    def _checked(self, images):
        images = np.asarray(images)
        shape = self.model.image_shape
        if images.dtype != np.uint8 or images.shape[1:] != shape or not len(images):
            raise DataError(
                f"expected uint8 images [N, {', '.join(map(str, shape))}], got "
                f"{images.dtype} {list(images.shape)}"
            )
        return images
