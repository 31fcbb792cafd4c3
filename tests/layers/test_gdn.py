import numpy as np
import pytest

from yoto_tf.layers import GDN


@pytest.fixture
def features(rng):
    return rng.normal(size=(2, 5, 6, 4)).astype("float32")


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize("inverse", [False, True])
def test_formula(rank, inverse, rng, randomize):
    features = rng.normal(size=(*range(2, 1 + rank), 4)).astype("float32")
    layer = GDN(inverse=inverse)
    layer.build(features.shape)
    randomize(layer)
    beta = np.square(layer.root_beta) + 1e-6
    gamma = np.square(layer.root_gamma)
    # Σ_j γ_ij x_j², with the pooled channel j first in the weights.
    pooled = np.sqrt(np.einsum("...j,ji->...i", features**2, gamma) + beta)
    expected = features * pooled if inverse else features / pooled
    np.testing.assert_allclose(layer(features), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("inverse", [False, True])
def test_it_starts_as_a_function_of_each_channel_alone(inverse, features):
    pooled = np.sqrt(1 + 0.1 * features**2)
    expected = features * pooled if inverse else features / pooled
    np.testing.assert_allclose(GDN(inverse)(features), expected, atol=1e-4)


def test_the_inverse_undoes_it_near_the_identity(features):
    gdn, inverse = GDN(initial_gamma=0.01), GDN(True, initial_gamma=0.01)
    error = np.abs(inverse(gdn(features)) - features)
    # What is left is of second order in γ·x².
    assert error.max() < 2 * (0.01 * np.square(features).max()) ** 2
    assert np.abs(gdn(features) - features).max() > 10 * error.max()


def test_it_cannot_divide_by_zero(features):
    layer = GDN()
    layer.build(features.shape)
    for weight in layer.weights:
        weight.assign(np.zeros(weight.shape))
    assert np.isfinite(layer(features)).all()


@pytest.mark.parametrize("inverse", [False, True])
def test_mixed_precision(inverse, features, randomize):
    layer = GDN(inverse, dtype="mixed_bfloat16")
    layer.build(features.shape)
    outputs = randomize(layer)(features)
    assert outputs.dtype == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}
    exact = GDN(inverse)
    exact.build(features.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        outputs.numpy().astype("float32"), exact(features), rtol=0.03, atol=0.01
    )


@pytest.mark.parametrize("inverse", [False, True])
def test_all_weights_learn(inverse, features, gradients):
    gamma, beta = sorted(
        gradients(GDN(inverse), features).values(), key=lambda g: -g.ndim
    )
    assert np.abs(beta).min() > 1e-2
    # Channels that do not pool each other at the start can learn to.
    assert np.abs(gamma).min() > 1e-6


@pytest.mark.parametrize("inverse", [False, True])
def test_saved_and_loaded(inverse, features, reload):
    loaded = reload(GDN(inverse, initial_gamma=0.2), features)
    assert (loaded.inverse, loaded.initial_gamma) == (inverse, 0.2)


@pytest.mark.parametrize("initial_gamma", [0, -1])
def test_impossible_initial_gamma(initial_gamma):
    with pytest.raises(ValueError, match=f"initial_gamma={initial_gamma}"):
        GDN(initial_gamma=initial_gamma)
