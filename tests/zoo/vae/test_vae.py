import keras
import numpy as np
import pytest

import yoto_tf as yoto
from yoto_tf import zoo
from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.zoo.vae import VAE, ConvVAE


@pytest.fixture(scope="module")
def vae():
    """A network that nobody trained, but whose weights are nowhere near their start."""
    rng = np.random.default_rng(0)
    network = ConvVAE(
        yoto.Coefficients(kl=yoto.LogUniform(0.125, 512)),
        image_shape=(8, 8, 3),
        channels=(4, 8),
        hidden_units=16,
        latents=6,
        film_units=8,
    )
    network.build(None)
    for weight in network.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    return VAE.from_network(network, "# Test VAE\n\nNobody trained it.\n")


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (5, 8, 8, 3), dtype="uint8")


def test_samples_are_pictures_that_the_dial_changes(vae):
    one, other = (vae.sample(300, seed=3, kl=kl) for kl in (0.125, 512))
    assert one.shape == (300, 8, 8, 3)
    assert one.dtype == np.uint8
    assert (one != other).mean() > 0.3
    np.testing.assert_array_equal(one, vae.sample(300, seed=3, kl=0.125))
    assert (vae.sample(2, kl=1.0) != vae.sample(2, kl=1.0)).any()


def test_samples_are_decoded_standard_normal_latents(vae):
    latents = np.random.default_rng(3).standard_normal((4, 6), "float32")
    np.testing.assert_array_equal(
        vae.sample(4, seed=3, kl=2.0), vae.decode(latents, kl=2.0)
    )


def test_pixels_are_the_networks_means_in_eight_bits(vae, images):
    coefficients = np.full((5, 1), 2.0, "float32")
    mean, scale = vae.encode(images, kl=2.0)
    outputs = vae.model(
        {"image": images.astype("float32") / 255, "coefficients": coefficients}
    )
    np.testing.assert_allclose(mean, outputs["posterior_mean"], 1e-4, 1e-5)
    np.testing.assert_allclose(scale, outputs["posterior_scale"], 1e-4, 1e-5)
    embedding = vae.model.embedding(coefficients)
    pixels = np.array(vae.model.decode(mean, embedding)["reconstruction"]) * 255
    assert pixels.min() < 0 or pixels.max() > 255
    error = vae.reconstruct(images, kl=2.0) - np.clip(pixels, 0, 255)
    assert np.abs(error).max() < 0.51


def test_many_pictures_are_as_one_by_one(vae, images):
    many = np.concatenate([images] * 60)
    np.testing.assert_array_equal(
        vae.reconstruct(many, kl=1.0)[-5:], vae.reconstruct(images, kl=1.0)
    )


def test_saved_and_loaded_it_is_the_same(vae, images, tmp_path):
    vae.save(tmp_path)
    loaded = zoo.load(tmp_path)
    assert isinstance(loaded, VAE)
    assert loaded.card == vae.card
    np.testing.assert_array_equal(
        loaded.reconstruct(images, kl=1.0), vae.reconstruct(images, kl=1.0)
    )
    rounded = zoo.load(tmp_path, precision="mixed_bfloat16")
    difference = rounded.sample(9, seed=0, kl=1.0).astype(int) - vae.sample(
        9, seed=0, kl=1.0
    )
    assert np.abs(difference).mean() < 8


def test_settings_span_the_dial(vae):
    settings = [setting["kl"] for setting in vae.settings(13)]
    np.testing.assert_allclose(settings, 2.0 ** np.arange(-3, 10), rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: x.astype("float32"), r"uint8 images \[N, 8, 8, 3\], got float32"),
        (lambda x: x[0], r"got uint8 \[8, 8, 3\]"),
        (lambda x: x[:, :4], r"got uint8 \[5, 4, 8, 3\]"),
        (lambda x: x[:0], r"got uint8 \[0, 8, 8, 3\]"),
    ],
)
def test_other_than_such_images_are_refused(vae, images, make, message):
    with pytest.raises(DataError, match=message):
        vae.reconstruct(make(images), kl=1.0)


def test_wrong_requests_name_what_is_wrong(vae):
    with pytest.raises(CoefficientError, match=r"kl = 1000 is outside"):
        vae.sample(1, kl=1000)
    with pytest.raises(CoefficientError, match="unknown coefficient 'beta'"):
        vae.sample(1, beta=1)
    with pytest.raises(DataError, match="at least 1 picture to sample, got 0"):
        vae.sample(0)
    with pytest.raises(DataError, match=r"latents \[N, 6\], got \[2, 5\]"):
        vae.decode(np.zeros((2, 5)), kl=1.0)


def test_grey_pictures_have_one_channel():
    keras.utils.set_random_seed(0)
    network = ConvVAE(
        yoto.Coefficients(kl=yoto.LogUniform(0.125, 512)),
        image_shape=(4, 4, 1),
        channels=(2,),
        hidden_units=4,
        latents=2,
        likelihood="bernoulli",
        film_units=4,
    )
    network.build(None)
    assert VAE.from_network(network).sample(2).shape == (2, 4, 4, 1)
