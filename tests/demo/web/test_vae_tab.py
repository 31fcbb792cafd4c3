from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.zoo.vae import VAE
from yoto_tf.zoo.vae.shapes import factors, rendered

pytest.importorskip("gradio", reason="the extra `web` is not installed")

from yoto_tf.demo.web.vae_tab import pictures, reconstructions, samples


def test_pictures_fit_the_network_and_differ(vae, photograph):
    row = pictures(vae, photograph)
    assert row.shape == (10, *vae.model.image_shape)
    assert len({picture.tobytes() for picture in row}) == 10


def test_rows_of_pictures_are_taken_as_they_are():
    figures = rendered(factors("shapes:test")[:10])
    row = pictures(zoo.load("vae-shapes"), figures)
    np.testing.assert_array_equal(row, figures)


def test_own_picture_is_the_first(vae, photograph):
    white = np.full((30, 20, 3), 255, "uint8")
    row = pictures(vae, photograph, white)
    assert (row[0] == 255).all()
    np.testing.assert_array_equal(row[1:], pictures(vae, photograph)[1:])


def test_reconstructions_are_below_their_pictures(vae, photograph):
    row = pictures(vae, photograph)
    shown = reconstructions(vae, row, 2.0)
    # Every picture is 72 pixels wide, and 2 pixels are between two.
    assert shown.shape == (2 * 74 + 2, 10 * 74 + 2, 3)
    tiles = shown[2:, 2:].reshape(2, 74, 10, 74, 3)[:, :72:9, :, :72:9]
    tiles = tiles.transpose(0, 2, 1, 3, 4)[..., : row.shape[3]]
    np.testing.assert_array_equal(tiles[0], row)
    np.testing.assert_array_equal(tiles[1], vae.reconstruct(row, kl=4.0))


def test_slider_moves_pictures_and_seed_keeps_their_latents(vae):
    first = samples(vae, -3.0, 5)
    np.testing.assert_array_equal(first, samples(vae, -3.0, 5))
    assert (first != samples(vae, 9.0, 5)).any()
    assert (first != samples(vae, -3.0, 6)).any()


def test_users_at_the_same_time_get_their_own(vae):
    # A new one, so that its first pictures compile it at the same time.
    vae = VAE(vae.release)
    numbers = range(8)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda number: samples(vae, number, number), numbers))
    alone = [samples(vae, number, number) for number in numbers]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)
