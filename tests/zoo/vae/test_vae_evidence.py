import types

import numpy as np
import pytest
from keras import ops
from scipy import stats

from yoto_tf.zoo.vae.evidence import Evidence, active_units, bits_per_dimension
from yoto_tf.zoo.vae.losses import bernoulli_terms, gaussian_terms, kl_divergence

PIXELS, LATENTS, DEVIATION = 6, 2, 0.15


class Linear:
    """p(z) = N(0, I) and p(x|z) = N(z A + b, σ²), of which all is known.

    The rows of A are orthogonal, so that the true posterior is diagonal.

    Args:
        shift: of the posterior's mean, in its deviations.
        wider: factor on the posterior's deviation.
    """

    image_shape = (1, PIXELS, 1)
    likelihood = "gaussian"
    loss_terms = staticmethod(gaussian_terms)

    def __init__(self, shift=0.0, wider=1.0):
        random = np.random.default_rng(3)
        rows, _ = np.linalg.qr(random.normal(size=(PIXELS, LATENTS)))
        self.kernel = (rows.T * [[0.5], [0.2]]).astype("float32")
        self.bias = random.uniform(0.3, 0.7, PIXELS).astype("float32")
        self.shift, self.wider = shift, wider
        energy = np.square(self.kernel).sum(axis=1) / DEVIATION**2
        self.variance = (1 / (1 + energy)).astype("float32")

    def embedding(self, coefficients):
        return coefficients

    def encode(self, image, embedding):
        flat = ops.reshape(image, (-1, PIXELS)) - self.bias
        mean = ops.matmul(flat, self.kernel.T) * self.variance / DEVIATION**2
        scale = ops.ones_like(mean) * np.sqrt(self.variance)
        return mean + self.shift * scale, self.wider * scale

    def decode(self, latents, embedding):
        mean = ops.matmul(latents, self.kernel) + self.bias
        mean = ops.reshape(mean, (-1, *self.image_shape))
        return {
            "reconstruction": mean,
            "reconstruction_scale": ops.ones_like(mean) * DEVIATION,
        }

    def nats(self, images):
        """−log p of each picture with values in [−1, 1], [N]."""
        covariance = self.kernel.T @ self.kernel + DEVIATION**2 * np.eye(PIXELS)
        law = stats.multivariate_normal(2 * self.bias - 1, 4 * covariance)
        return -law.logpdf(2 * (images.reshape(-1, PIXELS) / 255) - 1)


@pytest.fixture
def images():
    shape = (300, *Linear.image_shape)
    return np.random.default_rng(0).integers(60, 200, shape, dtype="uint8")


@pytest.mark.parametrize("samples", [1, 5])
def test_the_true_posterior_gives_log_p_with_any_number_of_samples(images, samples):
    network = Linear()
    found = Evidence(network).importance_weighted(images, [1.0], samples)
    np.testing.assert_allclose(found, network.nats(images), rtol=1e-4, atol=1e-4)


def test_of_another_posterior_more_samples_come_closer_to_log_p(images):
    network = Linear(shift=0.7, wider=1.4)
    expected = network.nats(images).mean()
    evidence = Evidence(network)
    found = [
        evidence.importance_weighted(images, [1.0], samples).mean()
        for samples in (1, 8, 500)
    ]
    assert found[0] > found[1] > found[2]
    np.testing.assert_allclose(found[2], expected, atol=0.01)
    # KL between the two posteriors, of each latent.
    gap = 0.5 * (1.4**2 + 0.7**2 - 1 - 2 * np.log(1.4)) * LATENTS
    np.testing.assert_allclose(found[0], expected + gap, atol=0.2)


def test_one_sample_gives_the_terms_of_the_loss(images):
    network = Linear(wider=0.6)
    found = Evidence(network).importance_weighted(
        np.tile(images, (40, 1, 1, 1)), [1], 1
    )
    image = images / np.float32(255)
    mean, scale = network.encode(image, None)
    outputs = {"posterior_mean": mean, "posterior_scale": scale}
    # The expectation of the squared error over the posterior, in closed form.
    error = image - network.decode(mean, None)["reconstruction"]
    spread = np.square(scale) @ np.square(network.kernel)
    squares = np.square(error).sum((1, 2, 3)) + spread.sum(1)
    constant = PIXELS * np.log(2 * DEVIATION * np.sqrt(2 * np.pi))
    terms = squares / (2 * DEVIATION**2) + constant + np.array(kl_divergence(outputs))
    np.testing.assert_allclose(found.mean(), terms.mean(), atol=0.03)


def test_grey_is_not_below_the_mean_over_its_binarisations():
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(2, 4)).astype("float32")
    network = types.SimpleNamespace(
        embedding=lambda coefficients: coefficients,
        encode=lambda image, embedding: (
            ops.zeros_like(image[:, 0, :, 0]) + 0.3,
            ops.zeros_like(image[:, 0, :, 0]) + 0.8,
        ),
        decode=lambda latents, embedding: {
            "logits": ops.reshape(ops.matmul(latents, kernel), (-1, 2, 2, 1))
        },
        loss_terms=bernoulli_terms,
    )
    grey = rng.integers(0, 256, (1, 2, 2, 1), dtype="uint8")
    evidence, mean = Evidence(network), 0.0
    for bits in np.ndindex(2, 2, 2, 2):
        binary = np.reshape(bits, grey.shape).astype("uint8")
        probability = np.where(binary, grey / 255, 1 - grey / 255).prod()
        mean += probability * evidence.importance_weighted(255 * binary, [1.0], 5)[0]
    assert mean < evidence.importance_weighted(grey, [1.0], 5)[0] < mean + 5


def test_what_is_measured(images):
    network = Linear()
    found = Evidence(network).measure(images, [1.0], samples=2)
    nats = network.nats(images).mean()
    np.testing.assert_allclose(found["importance_weighted"], nats, atol=1e-3)
    means = network.encode(images / np.float32(255), None)[0]
    assert found["active_units"] == (np.var(means, axis=0) > 0.01).sum() == 2
    assert found["bits_per_dimension"] == bits_per_dimension(
        found["importance_weighted"], network
    )


def test_active_units_are_those_whose_mean_varies():
    spread = np.sqrt(np.array([0.0, 0.0099, 0.0101, 1.0]))
    means = np.where(np.arange(100)[:, None] % 2, spread, -spread) + 7
    assert active_units(means.astype("float32")) == 2


def test_bits_of_a_uniform_distribution():
    """255 bins of width 2/255, and a coin, for each of six values."""
    coins = PIXELS * np.log(2)
    gaussian = types.SimpleNamespace(image_shape=(1, 3, 2), likelihood="gaussian")
    bernoulli = types.SimpleNamespace(image_shape=(1, 3, 2), likelihood="bernoulli")
    assert bits_per_dimension(coins, gaussian) == pytest.approx(np.log2(255))
    assert bits_per_dimension(coins, bernoulli) == pytest.approx(1.0)
