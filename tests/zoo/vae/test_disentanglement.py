import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.zoo.vae.disentanglement import disentanglement

RNG = np.random.default_rng(0)
# Two factors of 4 and 5 values, in all combinations.
FACTORS = np.array([(a, b) for a in range(4) for b in range(5)] * 500)


def noise(columns=1):
    return RNG.normal(size=(len(FACTORS), columns))


def test_a_latent_for_each_factor():
    latents = np.concatenate([noise(), FACTORS[:, ::-1], noise()], axis=1)
    found = disentanglement(latents, FACTORS)
    assert found.gap == pytest.approx(1, abs=0.01)
    np.testing.assert_allclose(found.share, 1)
    # All of the entropy, log 4 and log 5, in the latents in their places.
    expected = np.zeros((4, 2))
    expected[1, 1], expected[2, 0] = np.log(5), np.log(4)
    np.testing.assert_allclose(found.information, expected, atol=0.01)


def test_a_factor_in_two_latents_counts_for_nothing():
    latents = np.concatenate([FACTORS[:, :1], FACTORS[:, :1], FACTORS[:, 1:]], axis=1)
    assert disentanglement(latents, FACTORS).gap == pytest.approx(0.5, abs=0.01)


def test_a_latent_of_both_factors_tells_of_each_what_its_bins_tell():
    # Each combination has a bin of its own: one latent knows all, no gap is lost.
    latents = np.concatenate([5 * FACTORS[:, :1] + FACTORS[:, 1:], noise()], axis=1)
    found = disentanglement(latents, FACTORS)
    np.testing.assert_allclose(found.information[0], np.log([4, 5]), rtol=1e-6)
    # A turned pair of latents shares both factors out.
    turned = FACTORS @ np.array([[1.0, 1.0], [-1.0, 1.0]])
    assert disentanglement(turned, FACTORS).gap < 0.1


def test_by_the_definition_on_a_table():
    # P(z = 0, v = 0) = 3/8, P(0, 1) = 1/8, P(1, 0) = 1/8, P(1, 1) = 3/8; z₂ is nothing.
    first = [0] * 4 + [1] * 4
    factor = [0, 0, 0, 1, 0, 1, 1, 1]
    second = [0, 1, 0, 1, 1, 0, 1, 0]
    bits = 2 * 3 / 8 * np.log((3 / 8) / (1 / 4)) + 2 / 8 * np.log((1 / 8) / (1 / 4))
    of_second = sum(n / 8 * np.log(n / 8 / (1 / 4)) for n in (2, 2, 2, 2))
    found = disentanglement(np.stack([first, second], 1), np.reshape(factor, (-1, 1)))
    np.testing.assert_allclose(found.information[:, 0], [bits, of_second], atol=1e-12)
    assert found.gap == pytest.approx((bits - of_second) / np.log(2))


def test_latents_that_say_nothing():
    found = disentanglement(noise(6), FACTORS)
    assert found.gap < 0.01
    assert found.information.max() < 0.01


@given(st.floats(0.1, 100), st.floats(-50, 50), st.permutations(range(3)))
def test_scale_place_and_order_of_latents_do_not_matter(scale, place, order):
    latents = np.concatenate([FACTORS + 0.3 * np.sin(FACTORS[::-1]), FACTORS[:, :1]], 1)
    plain = disentanglement(latents, FACTORS)
    moved = disentanglement((scale * latents + place)[:, list(order)], FACTORS)
    # A value on the edge of a bin may fall on either side.
    assert moved.gap == pytest.approx(plain.gap, abs=0.05)
