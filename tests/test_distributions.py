import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.stats import arcsine

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError


def draw(distribution, count=20_000, seed=0):
    generator = keras.random.SeedGenerator(seed)
    return ops.convert_to_numpy(distribution.sample((count,), generator))


def uniformity(quantiles):
    """Kolmogorov–Smirnov distance of a sample to the uniform distribution."""
    quantiles = np.sort(quantiles)
    return np.abs(quantiles - np.linspace(0, 1, len(quantiles))).max()


# One in a million samples of 20,000 lies further away: sqrt(ln(2e6) / (2 n)).
_FAR = np.sqrt(np.log(2e6) / 40_000)


@settings(max_examples=20, deadline=None)
@given(low=st.floats(-6, 6), decades=st.floats(0.1, 6), seed=st.integers(0, 1000))
def test_log_uniform_is_uniform_in_the_logarithm(low, decades, seed):
    distribution = yoto.LogUniform(10**low, 10 ** (low + decades))
    values = draw(distribution, seed=seed)
    assert values.dtype == "float32"
    assert uniformity((np.log10(values.astype("float64")) - low) / decades) < _FAR


@settings(max_examples=20, deadline=None)
@given(low=st.floats(-6, 6), decades=st.floats(0.1, 6), seed=st.integers(0, 1000))
def test_the_logarithm_of_log_arcsine_follows_the_arcsine_law(low, decades, seed):
    distribution = yoto.LogArcsine(10**low, 10 ** (low + decades))
    values = draw(distribution, seed=seed)
    assert values.dtype == "float32"
    shares = (np.log10(values.astype("float64")) - low) / decades
    assert uniformity(arcsine.cdf(shares)) < _FAR


@settings(max_examples=20, deadline=None)
@given(
    low=st.floats(-6, 6),
    decades=st.floats(0.1, 6),
    slope=st.floats(-1, 1),
    seed=st.integers(0, 1000),
)
def test_the_logarithm_of_log_trapezoidal_has_a_linear_density(
    low, decades, slope, seed
):
    distribution = yoto.LogTrapezoidal(10**low, 10 ** (low + decades), slope)
    values = draw(distribution, seed=seed)
    assert values.dtype == "float32"
    shares = (np.log10(values.astype("float64")) - low) / decades
    # The integral of 1 + slope · (1 − 2t).
    assert uniformity(shares + slope * shares * (1 - shares)) < _FAR


@settings(max_examples=20, deadline=None)
@given(low=st.floats(-1e3, 1e3), width=st.floats(1e-1, 1e3), seed=st.integers(0, 1000))
def test_uniform(low, width, seed):
    values = draw(yoto.Uniform(low, low + width), seed=seed)
    assert uniformity((values.astype("float64") - low) / width) < _FAR


def test_discrete_draws_each_value_equally_often():
    values, counts = np.unique(draw(yoto.Discrete([4, 0.5, 1])), return_counts=True)
    np.testing.assert_array_equal(values, [0.5, 1, 4])
    np.testing.assert_allclose(counts / 20_000, 1 / 3, atol=0.02)


def test_fixed_is_fixed():
    np.testing.assert_array_equal(draw(yoto.Fixed(2.5), 5), [2.5] * 5)


@pytest.mark.parametrize(
    "distribution",
    [
        yoto.LogUniform(0.0018, 0.18),
        yoto.LogArcsine(0.0018, 0.18),
        yoto.LogTrapezoidal(0.0018, 0.18, 0.6),
        yoto.LogTrapezoidal(0.0018, 0.18, -1),
        yoto.Uniform(-1, 3),
        yoto.Discrete([1, 2, 5]),
        yoto.Fixed(3.0),
    ],
)
def test_moments_are_those_of_the_transformed_sample(distribution):
    values = draw(distribution).astype("float64")
    if distribution.transform == "log":
        values = np.log(values)
    mean, deviation = distribution.moments()
    assert values.mean() == pytest.approx(mean, abs=0.03 * deviation)
    assert values.std() == pytest.approx(deviation, rel=0.03)


def test_quantiles():
    assert yoto.LogUniform(0.01, 100).quantile(0.5) == pytest.approx(1)
    np.testing.assert_allclose(
        yoto.LogArcsine(0.01, 100).quantile([0, 1 / 3, 0.5, 1]), [0.01, 0.1, 1, 100]
    )
    np.testing.assert_allclose(
        yoto.LogTrapezoidal(0.01, 100, 1).quantile([0, 0.4375, 0.75, 1]),
        [0.01, 0.1, 1, 100],
    )
    np.testing.assert_allclose(
        yoto.LogTrapezoidal(0.01, 100, -1).quantile([0, 0.25, 1]), [0.01, 1, 100]
    )
    assert yoto.Uniform(-1, 3).quantile(0.25) == pytest.approx(0)
    assert yoto.Discrete([3, 1, 2]).quantile(1) == 3
    np.testing.assert_array_equal(yoto.Fixed(2.0).quantile([0, 1]), [2, 2])


@settings(max_examples=15, deadline=None)
@given(
    alphas=st.lists(st.floats(0.3, 20), min_size=2, max_size=5),
    seed=st.integers(0, 1000),
)
def test_dirichlet_moments_and_simplex(alphas, seed):
    distribution = yoto.Dirichlet(**{f"c{i}": a for i, a in enumerate(alphas)})
    generator = keras.random.SeedGenerator(seed)
    values = ops.convert_to_numpy(distribution.sample(20_000, generator))
    assert values.min() >= 0
    np.testing.assert_allclose(values.sum(-1), 1, atol=1e-5)
    mean, deviation = distribution.moments()
    np.testing.assert_allclose(values.mean(0), mean, atol=6 * deviation.max() / 141)
    np.testing.assert_allclose(values.std(0), deviation, rtol=0.1)


def test_dirichlet_marginals_are_beta():
    from scipy.stats import beta, kstest

    generator = keras.random.SeedGenerator(1)
    distribution = yoto.Dirichlet(a=0.3, b=1.0, c=2.5)
    values = ops.convert_to_numpy(distribution.sample(20_000, generator))
    for column, alpha in enumerate((0.3, 1.0, 2.5)):
        marginal = beta(alpha, 3.8 - alpha)
        assert kstest(values[:, column], marginal.cdf).statistic < _FAR


def test_a_tiny_dirichlet_concentration_stays_finite():
    generator = keras.random.SeedGenerator(0)
    values = yoto.Dirichlet(a=1e-3, b=1e-3).sample(1000, generator)
    np.testing.assert_allclose(ops.convert_to_numpy(values).sum(-1), 1, atol=1e-5)


@settings(deadline=None)
@given(count=st.integers(2, 4), divisions=st.integers(1, 8))
def test_dirichlet_lattice(count, divisions):
    from math import comb

    distribution = yoto.Dirichlet(**dict.fromkeys("abcd"[:count], 1.0))
    points = distribution.lattice(divisions)
    # Das & Dennis (1998): this many points, all different, on the simplex.
    assert points.shape == (comb(divisions + count - 1, count - 1), count)
    assert len(np.unique(points, axis=0)) == len(points)
    np.testing.assert_allclose(points.sum(-1), 1, atol=1e-6)
    steps = points * divisions
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-5)
    assert points.min() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: yoto.LogUniform(0, 1), r"0 < low < high.*low=0, high=1"),
        (lambda: yoto.LogUniform(2, 1), r"0 < low < high.*low=2, high=1"),
        (lambda: yoto.LogUniform(float("nan"), 1), r"low=nan, high=1"),
        (lambda: yoto.LogArcsine(0, 1), r"0 < low < high.*low=0, high=1"),
        (lambda: yoto.LogArcsine(1, float("nan")), r"low=1, high=nan"),
        (lambda: yoto.LogTrapezoidal(1, 2, 1.5), r"slope from -1 to 1, got 1.5"),
        (lambda: yoto.LogTrapezoidal(1, 2, float("nan")), r"-1 to 1, got nan"),
        (lambda: yoto.Uniform(1, 1), r"low < high.*low=1, high=1"),
        (lambda: yoto.Uniform(0, float("inf")), r"low=0, high=inf"),
        (lambda: yoto.Fixed(float("nan")), r"finite value.*value=nan"),
        (lambda: yoto.Discrete([1, 1]), r"two or more finite values.*\[1.0, 1.0\]"),
        (lambda: yoto.Discrete([1, float("inf")]), r"finite values.*inf"),
        (lambda: yoto.Dirichlet(a=1), r"two or more positive.*\{'a': 1\}"),
        (lambda: yoto.Dirichlet(a=1, b=0), r"positive.*'b': 0"),
        (lambda: yoto.Dirichlet(a=1, b=float("inf")), r"positive.*'b': inf"),
    ],
)
def test_impossible_distributions(make, message):
    with pytest.raises(CoefficientError, match=message):
        make()
