import json
import sys
import warnings

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError


def mixed():
    """One coefficient of every independent kind, in no alphabetical order."""
    return yoto.Coefficients(
        distortion=yoto.LogUniform(0.0018, 0.18),
        content=yoto.Uniform(-1.0, 3.0),
        rate=yoto.Fixed(1.0),
        kind=yoto.Discrete([1.0, 2.0, 5.0]),
    )


def simplex():
    return yoto.Coefficients(yoto.Dirichlet(right=1.2, left=2.0, top=1.0))


def draw(coefficients, count=1000, seed=0):
    generator = keras.random.SeedGenerator(seed)
    return ops.convert_to_numpy(coefficients.sample(count, generator))


@pytest.mark.parametrize("make", [mixed, simplex])
def test_samples_differ_by_example_and_repeat_under_a_seed(make):
    values = draw(make())
    assert values.shape == (1000, len(make()))
    assert values.dtype == "float32"
    assert len(np.unique(values[:, 0])) > 990
    np.testing.assert_array_equal(values, draw(make()))
    assert not np.array_equal(values, draw(make(), seed=1))


def test_coefficients_are_drawn_independently():
    coefficients = yoto.Coefficients(a=yoto.Uniform(0, 1), b=yoto.Uniform(0, 1))
    assert abs(np.corrcoef(draw(coefficients, 10_000).T)[0, 1]) < 0.05


@pytest.mark.parametrize("make", [mixed, simplex])
def test_every_sample_is_valid(make):
    values = draw(make(), 10_000)
    np.testing.assert_array_equal(make().validate(values), values)


@settings(max_examples=20, deadline=None)
@given(low=st.floats(-12, 12), decades=st.floats(0.01, 12), seed=st.integers(0, 99))
def test_samples_and_grids_of_any_range_are_valid(low, decades, seed):
    distribution = yoto.LogUniform(10**low, 10 ** (low + decades))
    coefficients = yoto.Coefficients(c=distribution)
    coefficients.validate(draw(coefficients, 100, seed))
    coefficients.validate(coefficients.grid(7))


def test_the_network_sees_standardised_values():
    for coefficients in (mixed(), simplex()):
        features = coefficients.standardize(draw(coefficients, 20_000))
        features = ops.convert_to_numpy(features)
        deviations = [0.0 if name == "rate" else 1.0 for name in coefficients.names]
        np.testing.assert_allclose(features.mean(0), 0, atol=0.03)
        np.testing.assert_allclose(features.std(0), deviations, atol=0.03)


def test_a_logarithm_is_linear_in_decades():
    coefficients = yoto.Coefficients(c=yoto.LogUniform(0.01, 100))
    features = coefficients.standardize(np.array([[0.01], [0.1], [1], [10], [100]]))
    edge = np.sqrt(3)  # of a uniform distribution with deviation one
    np.testing.assert_allclose(
        ops.convert_to_numpy(features)[:, 0],
        [-edge, -edge / 2, 0, edge / 2, edge],
        atol=1e-6,
    )


def test_values_out_of_range_are_clipped_in_the_graph():
    coefficients = mixed()
    low, high = np.array(list(coefficients.ranges().values())).T
    features = coefficients.standardize(np.stack([low - 7, high + 7, low, high]))
    features = ops.convert_to_numpy(features)
    assert np.isfinite(features).all()
    np.testing.assert_array_equal(features[:2], features[2:])


def test_standardising_checks_the_count():
    with pytest.raises(CoefficientError, match=r"expected 4 .*got shape \(2, 1\)"):
        mixed().standardize(np.ones((2, 1), "float32"))


def test_vector_orders_names_and_fills_in_the_middle():
    vector = mixed().vector(kind=5, distortion=0.02)
    assert vector.dtype == "float32"
    np.testing.assert_allclose(vector, [0.02, 1.0, 1.0, 5.0])
    np.testing.assert_allclose(mixed().vector(), [0.018, 1, 1, 2], rtol=1e-6)
    np.testing.assert_allclose(
        simplex().vector(left=0.2, right=0.7, top=0.1), [0.7, 0.2, 0.1]
    )
    np.testing.assert_allclose(simplex().vector(), np.array([1.2, 2, 1]) / 4.2)


def test_at_turns_all_dials_together():
    np.testing.assert_allclose(mixed().at(0), [0.0018, -1, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(mixed().at(1), [0.18, 3, 1, 5], rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mixed().vector(distorsion=1),
            "unknown coefficient 'distorsion', expected distortion, content, rate, "
            "kind. Did you mean 'distortion'?",
        ),
        (
            lambda: mixed().vector(zzz=1),
            "unknown coefficient 'zzz', expected distortion, content, rate, kind.",
        ),
        (
            lambda: mixed().vector(distortion=0.5),
            "coefficient distortion = 0.5 is outside its range [0.0018, 0.18]",
        ),
        (
            lambda: mixed().vector(content=-1.1),
            "coefficient content = -1.1 is outside its range [-1, 3]",
        ),
        (
            lambda: mixed().vector(rate=2),
            "coefficient rate = 2 is outside its range [1, 1]",
        ),
        (
            lambda: mixed().vector(distortion=float("nan")),
            "coefficient distortion = nan is outside its range [0.0018, 0.18]",
        ),
        (
            lambda: mixed().vector(distortion=1e60),
            "coefficient distortion = inf is outside its range [0.0018, 0.18]",
        ),
        (
            lambda: mixed().vector(distortion="much"),
            "coefficients must be numbers, got ['much', 1.0, 1.0, 2.0]",
        ),
        (
            lambda: mixed().validate([0.02, 10**400, 1, 1]),
            f"coefficients must be numbers, got [0.02, {10**400}, 1, 1]",
        ),
        (
            lambda: mixed().validate([0.02, 0]),
            "expected 4 coefficient(s) (distortion, content, rate, kind) in the last "
            "axis, got shape (2,)",
        ),
        (
            lambda: mixed().validate(0.02),
            "expected 4 coefficient(s) (distortion, content, rate, kind) in the last "
            "axis, got shape ()",
        ),
        (
            lambda: mixed().validate([[0.02, 0, 1, 1], [0.19, 0, 1, 1]]),
            "coefficient distortion = 0.19 is outside its range [0.0018, 0.18]",
        ),
        (
            lambda: simplex().vector(left=1),
            "these coefficients sum to 1, so each must be given: right, left, top; "
            "got only left",
        ),
        (
            lambda: simplex().validate([0.5, 0.4, 0.2]),
            "coefficients right, left, top must sum to 1, got [0.5, ",
        ),
        (
            lambda: simplex().at(0.2),
            "coefficients that sum to 1 have no common dial; give each by name",
        ),
        (lambda: mixed().at(1.5), "a quantile lies in [0, 1], got 1.5"),
        (lambda: mixed().grid(1), "a grid needs 2 or more points, got 1"),
        (
            lambda: yoto.Coefficients(),
            "Coefficients needs either one joint distribution or a distribution for "
            "each name, got joint=None, names=[]",
        ),
        (
            lambda: yoto.Coefficients(kl=4.0),
            "coefficient kl needs a distribution such as Fixed(1.0), got 4.0",
        ),
        (
            lambda: yoto.Coefficients(joint=4.0),
            "joint must be a Dirichlet distribution, got 4.0",
        ),
    ],
)
def test_errors_say_what_came_and_what_was_expected(call, message):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(CoefficientError) as raised:
            call()
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith(message)


def test_a_wide_range_accepts_nothing_below_its_low_end():
    coefficients = yoto.Coefficients(c=yoto.LogUniform(1e-6, 10))
    for value in (-5e-5, 0.0, 9e-7):
        with pytest.raises(CoefficientError, match="outside its range"):
            coefficients.vector(c=value)


def test_values_that_went_through_float32_are_accepted():
    vector = mixed().vector(distortion=float(np.float32(0.18)))
    np.testing.assert_array_equal(mixed().validate(vector), vector)


def test_a_log_uniform_grid_is_geometric():
    grid = yoto.Coefficients(c=yoto.LogUniform(0.125, 512)).grid(13)
    assert grid.dtype == "float32"
    np.testing.assert_allclose(grid[:, 0], 2.0 ** np.arange(-3, 10), rtol=1e-6)


def test_a_grid_of_several_is_their_product():
    grid = mixed().grid(3)
    expected = [
        [distortion, content, 1, kind]
        for distortion in (0.0018, 0.018, 0.18)
        for content in (-1, 1, 3)
        for kind in (1, 2, 5)
    ]
    np.testing.assert_allclose(grid, expected, rtol=1e-6)


def test_a_grid_on_the_simplex():
    grid = simplex().grid(5)
    assert grid.shape == (15, 3)
    np.testing.assert_array_equal(simplex().validate(grid), grid)


@pytest.mark.parametrize("make", [mixed, simplex])
def test_a_round_trip_through_a_keras_config(make):
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(make())))
    loaded = keras.saving.deserialize_keras_object(config)
    assert loaded.names == make().names
    np.testing.assert_array_equal(draw(loaded), draw(make()))
    np.testing.assert_array_equal(loaded.grid(4), make().grid(4))
    values = draw(make(), 10)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(loaded.standardize(values)),
        ops.convert_to_numpy(make().standardize(values)),
    )


def test_repr_shows_names_and_ranges():
    assert repr(mixed()) == (
        "Coefficients(distortion=[0.0018, 0.18], content=[-1, 3], rate=[1, 1], "
        "kind=[1, 5])"
    )


@pytest.mark.parametrize("make", [mixed, simplex])
def test_sampling_compiles_with_xla(make):
    import tensorflow as tf

    coefficients = make()
    generator = keras.random.SeedGenerator(0)
    compiled = tf.function(lambda: coefficients.sample(64, generator), jit_compile=True)
    values = compiled().numpy()
    coefficients.validate(values)
    # The generator moves on from call to call.
    assert not np.array_equal(values, compiled().numpy())


def test_on_jax(saved_on_jax):
    jax = saved_on_jax(__file__)
    for name, coefficients in {"mixed": mixed(), "simplex": simplex()}.items():
        samples = jax[name]
        coefficients.validate(samples)
        assert not np.array_equal(samples, jax[f"{name}_again"])
        # Both backends see the same in the same values, and draw alike.
        expected = ops.convert_to_numpy(coefficients.standardize(samples))
        np.testing.assert_allclose(jax[f"{name}_standardized"], expected, atol=1e-5)
        ours = draw(coefficients, len(samples)).astype("float64")
        scale = ours.std(0).max()
        np.testing.assert_allclose(samples.mean(0), ours.mean(0), atol=0.1 * scale)
        np.testing.assert_allclose(samples.std(0), ours.std(0), atol=0.1 * scale)


def _write_samples(path):
    import jax

    arrays = {}
    for name, coefficients in {"mixed": mixed(), "simplex": simplex()}.items():
        generator = keras.random.SeedGenerator(0)
        arrays[name] = coefficients.sample(5000, generator)
        arrays[f"{name}_again"] = coefficients.sample(5000, generator)
        arrays[f"{name}_standardized"] = jax.jit(coefficients.standardize)(arrays[name])
    np.savez(path, **arrays)


if __name__ == "__main__":
    _write_samples(sys.argv[1])
