"""Ways through the latents of a β-VAE, and what each latent carries."""

import numpy as np

from yoto_tf.errors import DataError

# From −2.5 to 2.5 lie 98.8 % of a standard normal distribution.
_REACH = 2.5


class LatentPaths:
    """The methods of a `VAE` that follow latents and count their information."""

    def information(self, images, **coefficients):
        """What each latent says of pictures: its part of the KL divergence.

        Args:
            images: uint8 [N, H, W, C], of the network's size.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            Nats a picture, float32 [D], ≥ 0: the mean of KL(q(z|x) ‖ N(0, 1)). About 0
            for a latent that is not used at this β.

        Raises:
            DataError, CoefficientError: see `encode`.
        """
        mean, scale = self.encode(images, **coefficients)
        twice = np.square(mean) + np.square(scale) - 1 - 2 * np.log(scale)
        return 0.5 * twice.mean(axis=0)

    def interpolate(self, first, second, number, **coefficients):
        """Pictures on the straight line between the latents of two pictures.

        Args:
            first, second: uint8 [H, W, C], of the network's size.
            number: how many, ≥ 2, the reconstructions of both included.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            uint8 [number, H, W, C].

        Raises:
            DataError: fewer than two pictures, or those of another size.
            CoefficientError: an unknown name, or a value out of range.
        """
        _check_number(number)
        ends, _ = self.encode(np.stack([first, second]), **coefficients)
        place = np.linspace(0, 1, number, dtype="float32")[:, None]
        return self.decode((1 - place) * ends[0] + place * ends[1], **coefficients)

    def traverse(self, latents, index, number, **coefficients):
        """Pictures while one latent goes from −2.5 to 2.5 and the others stay.

        Args:
            latents: [D], where the others stay: a row of what `encode` gives, or a draw
                from the normal distribution.
            index: of the latent that goes.
            number: how many pictures, ≥ 2.
            **coefficients: `kl=β`; without it β is the middle of its range.

        Returns:
            uint8 [number, H, W, C].

        Raises:
            DataError: fewer than two pictures, no such latent, or not such latents.
            CoefficientError: an unknown name, or a value out of range.
        """
        _check_number(number)
        if not 0 <= index < self.model.latents:
            raise DataError(
                f"expected a latent from 0 to {self.model.latents - 1}, got {index}"
            )
        rows = np.tile(np.asarray(latents, "float32"), (number, 1))
        if rows.shape[1] > index:
            rows[:, index] = np.linspace(-_REACH, _REACH, number)
        return self.decode(rows, **coefficients)


def _check_number(number):
    if number < 2:
        raise DataError(f"expected at least 2 pictures on the way, got {number}")
