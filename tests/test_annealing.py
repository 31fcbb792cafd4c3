import keras
import numpy as np
import pytest
from keras import ops
from scipy.stats import beta, kstest

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError

# One in a million samples of 20,000 lies further away: sqrt(ln(2e6) / (2 n)).
_FAR = np.sqrt(np.log(2e6) / 40_000)
LAWS = {
    "uniform": yoto.Uniform(-1, 3),
    "log-uniform": yoto.LogUniform(0.01, 100),
    "log-arcsine": yoto.LogArcsine(0.01, 100),
    "log-trapezoidal": yoto.LogTrapezoidal(0.01, 100, 0.7),
}


def draw(law, progress, count=20_000):
    seed = keras.random.SeedGenerator(0)
    shape = count if hasattr(law, "concentration") else (count,)
    return ops.convert_to_numpy(law.sample(shape, seed, progress))


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("progress", [0, 0.5, 1])
def test_quantiles_follow_beta_laws(name, progress):
    law = LAWS[name]
    values = draw(yoto.Annealed(law, 4, 0.5), progress)
    shares = np.linspace(0, 1, 1001)
    quantiles = np.interp(values, law.quantile(shares), shares)
    parameter = 4 + progress * (0.5 - 4)
    distance = kstest(quantiles, beta(parameter, parameter).cdf).statistic
    assert distance < _FAR + 0.002  # what the table of quantiles rounds


def test_it_goes_from_the_middle_to_the_ends():
    law = yoto.Annealed(yoto.LogUniform(0.01, 100))
    spread = [np.log10(draw(law, t)).std() for t in (0, 0.3, 0.6, 0.9, 1)]
    assert (np.diff(spread) > 0.05).all()


@pytest.mark.parametrize("progress", [0, 1])
def test_a_dirichlet_law_keeps_its_mean(progress):
    law = yoto.Annealed(yoto.Dirichlet(a=1.0, b=3.0), start=5, end=0.2)
    values = draw(law, progress)
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-5)
    factor = 5 if progress == 0 else 0.2
    expected = beta(factor, 3 * factor)
    assert kstest(values[:, 0], expected.cdf).statistic < _FAR


def test_the_end_of_palora_is_the_corners():
    values = draw(yoto.Annealed(yoto.Dirichlet(a=1, b=1, c=1), 5, 0.001), 1.0)
    assert np.isfinite(values).all()
    assert (values.max(axis=1) > 0.99).mean() > 0.95


def test_without_progress_it_is_the_law():
    law = yoto.Annealed(yoto.Uniform(2, 4))
    np.testing.assert_array_equal(draw(law, None), draw_plain(yoto.Uniform(2, 4)))
    assert law.moments() == yoto.Uniform(2, 4).moments()
    assert (law.low, law.high, law.transform) == (2, 4, "identity")


def draw_plain(law):
    return ops.convert_to_numpy(law.sample((20_000,), keras.random.SeedGenerator(0)))


def test_a_progress_beyond_the_end_is_the_end():
    law = yoto.Annealed(yoto.Uniform(0, 1))
    np.testing.assert_array_equal(draw(law, 1.5), draw(law, 1.0))


@pytest.mark.parametrize(
    "coefficients",
    [
        yoto.Coefficients(yoto.Annealed(yoto.Dirichlet(a=1, b=1))),
        yoto.Coefficients(a=yoto.Annealed(yoto.LogUniform(0.01, 1)), b=yoto.Fixed(1)),
    ],
)
def test_coefficients_know_and_pass_on_the_progress(coefficients):
    assert coefficients.is_annealed
    loaded = yoto.Coefficients.from_config(coefficients.get_config())
    assert loaded.is_annealed
    seed = keras.random.SeedGenerator(0)
    for each in (coefficients, loaded):
        # As a trainer does it: the progress is a variable of a compiled step.
        progress = keras.Variable(0.0, trainable=False)
        spreads = []
        for value in (0.0, 1.0):
            progress.assign(value)
            drawn = np.array(each.sample(4000, seed, progress=progress))
            spreads.append(np.abs(each.standardize(drawn)).mean())
        assert spreads[1] > 1.5 * spreads[0]
        one = np.array(each.sample(5, seed, draw="batch", progress=0.5))
        assert (one == one[0]).all()
    assert coefficients.grid(3).shape == (3, 2)
    with pytest.raises(CoefficientError, match="stratified"):
        coefficients.sample(4, seed, draw="stratified")


def test_other_coefficients_do_not_go_by_it():
    coefficients = yoto.Coefficients(a=yoto.Uniform(0, 1))
    assert not coefficients.is_annealed
    drawn = [
        coefficients.sample(5, keras.random.SeedGenerator(0), progress=t)
        for t in (None, 0.0, 1.0)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[0], drawn[2])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: yoto.Annealed(yoto.Fixed(1)), "a law with a range"),
        (lambda: yoto.Annealed(yoto.Annealed(yoto.Uniform(0, 1))), "a law with a"),
        (lambda: yoto.Annealed(yoto.Uniform(0, 1), 0), "start=0, end=0.5"),
        (lambda: yoto.Annealed(yoto.Uniform(0, 1), 1, -1), "start=1, end=-1"),
        (
            lambda: yoto.Coefficients(yoto.Annealed(yoto.Uniform(0, 1))),
            "joint must be a Dirichlet",
        ),
    ],
)
def test_impossible_laws(make, message):
    with pytest.raises(CoefficientError, match=message):
        make()
