import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.errors import DataError
from yoto_tf.zoo.vae.pictures import load_pictures


@pytest.fixture(scope="module")
def vae(trained):
    return zoo.load(trained[1])


@pytest.fixture(scope="module")
def images(folder):
    return load_pictures(folder, (8, 8, 3), 12)


def test_information_is_the_kl_of_each_latent(vae, images):
    from yoto_tf.zoo.vae.losses import kl_divergence

    mean, scale = vae.encode(images, kl=2.0)
    whole = kl_divergence({"posterior_mean": mean, "posterior_scale": scale})
    carried = vae.information(images, kl=2.0)
    assert carried.shape == (4,)
    assert (carried >= 0).all()
    np.testing.assert_allclose(carried.sum(), np.mean(whole), rtol=1e-5)
    # A larger β leaves less.
    assert vae.information(images, kl=512.0).sum() < 0.5 * carried.sum()


def test_a_way_passes_through_the_mean_of_its_ends(vae, images):
    way = vae.interpolate(images[0], images[1], 5, kl=1.0)
    latents, _ = vae.encode(images[:2], kl=1.0)
    middle = vae.decode(latents.mean(axis=0)[None], kl=1.0)[0]
    np.testing.assert_allclose(way[2].astype(int), middle, atol=1)


def test_only_the_latent_that_goes_matters(vae):
    start = np.array([0.5, -1.0, 0.2, 0.0])
    elsewhere = start + np.array([0.0, 0.0, 9.0, 0.0])
    way = vae.traverse(start, 2, 4, kl=1.0)
    np.testing.assert_array_equal(way, vae.traverse(elsewhere, 2, 4, kl=1.0))
    ends = vae.decode([[0.5, -1.0, -2.5, 0.0], [0.5, -1.0, 2.5, 0.0]], kl=1.0)
    np.testing.assert_array_equal(way[[0, -1]], ends)


def test_ways_that_are_none(vae, images):
    with pytest.raises(DataError, match="at least 2 pictures on the way, got 1"):
        vae.interpolate(*images[:2], 1)
    with pytest.raises(DataError, match="a latent from 0 to 3, got 4"):
        vae.traverse(np.zeros(4), 4, 3)
    with pytest.raises(DataError, match="a latent from 0 to 3, got -1"):
        vae.traverse(np.zeros(4), -1, 3)
    for wrong in (np.zeros(1), np.zeros(7)):
        with pytest.raises(DataError, match=r"expected latents \[N, 4\]"):
            vae.traverse(wrong, 0, 3)
