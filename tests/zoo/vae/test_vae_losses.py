import numpy as np
import pytest
from scipy import integrate, stats

from yoto_tf.zoo.vae.losses import bernoulli_terms, gaussian_terms, kl_divergence


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def posterior(rng, batch=5, latents=7):
    return {
        "posterior_mean": rng.normal(0, 2, (batch, latents)).astype("float32"),
        "posterior_scale": rng.uniform(0.05, 3, (batch, latents)).astype("float32"),
    }


def test_kl_of_one_latent_is_the_integral():
    for mean, scale in ((0.0, 1.0), (1.5, 0.3), (-2.0, 2.5)):
        q = stats.norm(mean, scale)

        def integrand(z, q=q):
            return q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z))

        low, high = mean - 12 * scale, mean + 12 * scale
        expected, _ = integrate.quad(integrand, low, high, points=[mean])
        outputs = {
            "posterior_mean": np.array([[mean]], "float32"),
            "posterior_scale": np.array([[scale]], "float32"),
        }
        np.testing.assert_allclose(kl_divergence(outputs), [expected], 1e-5, 1e-6)


def test_kl_is_the_sum_over_latents(rng):
    outputs = posterior(rng)
    mean, scale = outputs["posterior_mean"], outputs["posterior_scale"]
    # KL of N(m, S) to N(0, I) for any covariance, one example at a time.
    expected = [
        0.5 * (np.trace(s) + m @ m - len(m) - np.linalg.slogdet(s)[1])
        for m, s in zip(mean, map(np.diag, scale.astype(float) ** 2), strict=True)
    ]
    np.testing.assert_allclose(kl_divergence(outputs), expected, rtol=1e-5)


def test_gaussian_likelihood_is_that_of_pixels_from_minus_one_to_one(rng):
    shape = (5, 4, 6, 3)
    image = rng.random(shape).astype("float32")
    mean = rng.random(shape).astype("float32")
    scale = rng.uniform(0.01, 1, shape).astype("float32")
    outputs = {
        **posterior(rng),
        "reconstruction": mean,
        "reconstruction_scale": scale,
    }
    terms = gaussian_terms({"image": image}, outputs)
    density = stats.norm(2.0 * mean - 1, 2.0 * scale)
    expected = -density.logpdf(2.0 * image - 1).sum((1, 2, 3))
    np.testing.assert_allclose(terms["reconstruction"], expected, rtol=1e-4)
    np.testing.assert_allclose(terms["kl"], kl_divergence(outputs))


def test_bernoulli_likelihood_of_a_binary_picture(rng):
    shape = (5, 4, 6, 1)
    image = (rng.random(shape) < 0.4).astype("float32")
    logits = rng.normal(0, 3, shape).astype("float32")
    outputs = {**posterior(rng), "logits": logits}
    terms = bernoulli_terms({"image": image}, outputs)
    expected = -stats.bernoulli(1 / (1 + np.exp(-logits.astype(float)))).logpmf(image)
    np.testing.assert_allclose(
        terms["reconstruction"], expected.sum((1, 2, 3)), rtol=1e-5
    )


def test_bernoulli_likelihood_of_grey_is_the_mean_over_binarisations(rng):
    grey = rng.random((1, 2, 2, 1)).astype("float32")
    logits = rng.normal(size=grey.shape).astype("float32")
    outputs = {**posterior(rng, batch=1), "logits": logits}
    expected = 0.0
    for bits in np.ndindex(2, 2, 2, 2):
        binary = np.reshape(bits, grey.shape).astype("float32")
        probability = np.where(binary == 1, grey, 1 - grey).prod()
        terms = bernoulli_terms({"image": binary}, outputs)
        expected += probability * float(terms["reconstruction"][0])
    terms = bernoulli_terms({"image": grey}, outputs)
    np.testing.assert_allclose(terms["reconstruction"], [expected], rtol=1e-5)


def test_bernoulli_likelihood_stays_finite_far_out():
    outputs = {
        "posterior_mean": np.zeros((1, 1), "float32"),
        "posterior_scale": np.ones((1, 1), "float32"),
        "logits": np.array([[[[300.0], [-300.0]]]], "float32"),
    }
    image = np.array([[[[0.0], [1.0]]]], "float32")
    terms = bernoulli_terms({"image": image}, outputs)
    np.testing.assert_allclose(terms["reconstruction"], [600.0])
