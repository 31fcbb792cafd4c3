"""What a β-VAE knows of pictures: a bound on log p(x), and the latents it uses.

The bound is the importance-weighted one of Burda et al., "Importance Weighted
Autoencoders", ICLR 2016. β has no part in it, so that networks trained for different β
can be compared by it.
"""

import math

import numpy as np
from keras import ops

from yoto_tf.machine.compilation import compiled
from yoto_tf.zoo.vae.likelihoods import LIKELIHOODS

# Burda et al. call a latent active whose posterior mean varies more than this.
_ACTIVE_VARIANCE = 0.01
# Pictures that are in the network at a time.
_BATCH = 256


class Evidence:
    """Measures a network at any setting of its dial; it is compiled once.

    Args:
        network: a `ConvVAE`.
    """

    def __init__(self, network):
        self.network = network
        self._encode = compiled(self._posterior)
        self._weigh = compiled(self._log_weights)

    def measure(self, images, vector, samples):
        """All that is measured, as means over pictures.

        Args:
            images: uint8 [N, H, W, C], of the network's size.
            vector: raw coefficients [K].
            samples: for the bound, see `importance_weighted`.

        Returns:
            {"active_units": see `active_units`; "importance_weighted": nats;
            "bits_per_dimension": of these nats, see `bits_per_dimension`}.
        """
        nats = float(self.importance_weighted(images, vector, samples).mean())
        means = [mean for _, _, mean, _ in self._posteriors(images, vector)]
        return {
            "active_units": active_units(np.concatenate(means)),
            "importance_weighted": nats,
            "bits_per_dimension": bits_per_dimension(nats, self.network),
        }

    def importance_weighted(self, images, vector, samples, seed=0):
        """An upper bound on −log p(x) of each picture.

            −log (1/K) Σ_k p(x|z_k) p(z_k) / q(z_k|x) ,   z_k ~ q(z|x)

        With one sample its mean is KL + reconstruction. The more samples, the closer it
        comes to −log p(x), which it is never below on average.

        Args:
            images: uint8 [N, H, W, C], of the network's size.
            vector: raw coefficients [K].
            samples: K ≥ 1.
            seed: integer ≥ 0.

        Returns:
            Nats, float64 [N]. With a Gaussian likelihood p(x) is a density. With a
            Bernoulli one, and a picture that is grey, the mean of the bounds of its
            random binarisations is not above this one.
        """
        random = np.random.default_rng(seed)
        bounds = []
        for inputs in self._posteriors(images, vector):
            total = -np.inf
            for _ in range(samples):
                noise = random.standard_normal(inputs[-1].shape, "float32")
                weights = self._weigh(*map(ops.convert_to_tensor, (*inputs, noise)))
                weights = ops.convert_to_numpy(weights).astype("float64")
                total = np.logaddexp(total, weights)
            bounds.append(math.log(samples) - total)
        return np.concatenate(bounds)

    def _posteriors(self, images, vector):
        """Yields pictures, their coefficients, means and deviations, by batches."""
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            vectors = np.tile(np.asarray(vector, "float32"), (len(batch), 1))
            found = self._encode(*map(ops.convert_to_tensor, (batch, vectors)))
            yield (batch, vectors, *map(ops.convert_to_numpy, found))

    def _posterior(self, images, vectors):
        return self.network.encode(_scaled(images), self.network.embedding(vectors))

    def _log_weights(self, images, vectors, mean, scale, noise):
        """log p(x|z) p(z) / q(z|x), [N], at z = mean + scale · noise."""
        latents = mean + scale * noise
        outputs = {
            "posterior_mean": mean,
            "posterior_scale": scale,
            **self.network.decode(latents, self.network.embedding(vectors)),
        }
        terms = self.network.loss_terms({"image": _scaled(images)}, outputs)
        # The constants of the two normal densities cancel.
        twice = ops.square(noise) - ops.square(latents) + 2 * ops.log(scale)
        return 0.5 * ops.sum(twice, axis=-1) - terms["reconstruction"]


def active_units(means):
    """How many latents tell pictures apart.

    Args:
        means: of the posteriors of N pictures, [N, D].

    Returns:
        The number of latents whose mean has a variance above 0.01 over the pictures.
    """
    return int((np.var(means, axis=0, dtype="float64") > _ACTIVE_VARIANCE).sum())


def bits_per_dimension(nats, network):
    """Bits for each value of a picture.

    A Gaussian likelihood gives a density for values in [−1, 1]. Times 2/255, the width
    of the bin of a value of 8 bits, it is about a probability, which adds log(127.5)
    nats a value. With a Bernoulli likelihood nothing is added: the bits are those of a
    binarised picture.

    Args:
        nats: an estimate of −log p(x) of a whole picture.
        network: a `ConvVAE`.
    """
    values = math.prod(network.image_shape)
    bin_nats = LIKELIHOODS[network.likelihood].bin_nats
    return (nats / values + bin_nats) / math.log(2)


def _scaled(images):
    return ops.cast(images, "float32") / 255.0
