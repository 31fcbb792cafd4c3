import math

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from yoto_tf.coefficients import Coefficients
from yoto_tf.distributions import Dirichlet, Fixed, LogUniform, Uniform
from yoto_tf.errors import CoefficientError, YotoError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.tradeoff import find, search


@given(
    st.floats(-9, 9),
    st.sampled_from([-1, 1]),
    st.booleans(),
    st.integers(2, 20),
)
def test_search_is_as_near_as_it_promises(bound, slope, at_most, evaluations):
    calls = []

    def function(x):
        calls.append(x)
        return slope * x

    sense = {"at_most" if at_most else "at_least": bound}
    found = search(function, -10, 10, evaluations=evaluations, **sense)
    value = slope * found
    assert value <= bound if at_most else value >= bound
    assert abs(value - bound) <= 20 / 2 ** (evaluations - 2)
    assert len(calls) <= evaluations
    assert found in calls


def test_search_stops_within_the_tolerance():
    calls = []

    def function(x):
        calls.append(x)
        return x

    assert search(function, 0, 1, at_most=0.5) == 0.5
    assert len(calls) == 3
    calls.clear()
    found = search(function, 0, 1, at_least=1 / 3, evaluations=99, tolerance=0.01)
    assert 0 <= found - 1 / 3 <= 0.01
    assert len(calls) < 12


@pytest.mark.parametrize(
    ("bound", "end"), [({"at_most": 30}, 10), ({"at_least": 1}, 2)]
)
def test_a_bound_beyond_the_range_gives_the_nearest_end(bound, end):
    assert search(lambda x: x, 2, 10, **bound) == end


def test_out_of_reach_names_what_is():
    with pytest.raises(YotoError, match=r"psnr ≥ 50 is out of reach: .* 20 to 40$"):
        search(lambda x: 10 * x, 2, 4, at_least=50, name="psnr")
    with pytest.raises(ValueError, match="one bound"):
        search(lambda x: x, 0, 1, at_least=0, at_most=1)
    with pytest.raises(ValueError, match="evaluations=1"):
        search(lambda x: x, 0, 1, at_least=0, evaluations=1)


class Echo(keras.Model):
    def call(self, inputs):
        return inputs["coefficients"] + 0.0 * inputs["x"]


def terms(inputs, outputs):
    """Distortion falls with its coefficient, rate rises, as in a codec."""
    return {
        "distortion": 1 / outputs[:, 0],
        "rate": ops.log(outputs[:, 0]) + outputs[:, 1],
    }


def metrics(inputs, outputs):
    return {"psnr": 10 * ops.log(outputs[:, 0])}


X = {"x": np.zeros((3, 1), "float32")}


def codec(**coefficients):
    return LossConditionalModel(Echo(), terms, Coefficients(**coefficients))


MODEL = codec(distortion=LogUniform(1.0, 100.0), rate=Fixed(1.0))


@pytest.mark.parametrize(
    ("minimise", "subject_to", "expected"),
    [
        ("rate", "distortion <= 0.2", 5.0),
        ("rate", "distortion≤2e-1", 5.0),
        ("rate", " psnr >= 20 ", math.exp(2)),
        ("distortion", "rate <= 2", math.exp(1)),
        # The bound leaves everything open, or everything but the worst, open.
        ("rate", "distortion <= 5", 1.0),
        ("distortion", "rate ≥ 0", 100.0),
        ("rate", "rate >= 2", math.exp(1)),
    ],
)
def test_find(minimise, subject_to, expected):
    found = find(
        MODEL,
        X,
        minimise=minimise,
        subject_to=subject_to,
        metrics=metrics,
        evaluations=14,
    )
    assert found.coefficients["distortion"] == pytest.approx(expected, rel=2e-3)
    assert found.coefficients["rate"] == 1.0
    assert found.values["rate"] == pytest.approx(math.log(expected) + 1, rel=2e-3)
    assert set(found.values) == {"distortion", "rate", "psnr"}
    assert 2 <= len(found.tried) <= 14


def test_other_coefficients():
    model = codec(distortion=LogUniform(1.0, 100.0), rate=Uniform(0.0, 8.0))
    chosen = {"minimise": "distortion", "coefficient": "distortion"}
    found = find(model, X, subject_to="rate <= 3", rate=1.0, **chosen)
    assert found.coefficients["distortion"] == pytest.approx(math.exp(2), rel=1e-2)
    assert found.coefficients["rate"] == 1.0
    found = find(model, X, subject_to="rate <= 5", **chosen)
    assert found.coefficients["rate"] == 4.0
    assert found.coefficients["distortion"] == pytest.approx(math.exp(1), rel=1e-2)
    with pytest.raises(CoefficientError, match="one of: distortion, rate; got None"):
        find(model, X, minimise="rate", subject_to="distortion <= 1")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"subject_to": "distortion = 3"}, "constraint such as 'kl <= 20'"),
        ({"subject_to": "distortion <= big"}, "constraint such as 'kl <= 20'"),
        ({"subject_to": "speed <= 3"}, "no term 'speed'"),
        ({"minimise": "speed"}, "no term 'speed'"),
        ({"subject_to": "distortion <= 0.001"}, "distortion ≤ 0.001 .* 0.01 to 1"),
        ({"coefficient": "rate"}, "one of: distortion; got rate"),
        ({"speed": 3.0}, "unknown coefficient 'speed'"),
    ],
)
def test_refused(arguments, reason):
    usual = {"minimise": "rate", "subject_to": "distortion <= 0.5"}
    with pytest.raises(YotoError, match=reason) as error:
        find(MODEL, X, **{**usual, **arguments})
    assert "\n" not in str(error.value)


def test_coefficients_on_the_simplex():
    model = LossConditionalModel(
        Echo(), terms, Coefficients(Dirichlet(distortion=1.0, rate=1.0))
    )
    with pytest.raises(CoefficientError, match="sum to 1"):
        find(model, X, minimise="rate", subject_to="distortion <= 0.5")


def dials(inputs, outputs):
    """A bowl around (0.3, 0.6), and what the two coefficients cost."""
    a, b = outputs[:, 0], outputs[:, 1]
    return {"a": ops.square(a - 0.3) + ops.square(b - 0.6), "b": a, "sum": a + b}


DIALS = LossConditionalModel(
    Echo(), dials, Coefficients(a=Uniform(0.0, 1.0), b=Uniform(0.0, 1.0))
)


def test_several_coefficients_and_bounds():
    free = find(DIALS, X, minimise="a", over=["a", "b"])
    assert free.values["a"] < 1e-3
    # On the line a + b = 0.5 the nearest is (0.1, 0.4).
    bounds = ["sum <= 0.5", "b >= 0.05"]
    found = find(DIALS, X, minimise="a", subject_to=bounds, over=["a", "b"])
    assert found.coefficients["a"] == pytest.approx(0.1, abs=0.03)
    assert found.coefficients["b"] == pytest.approx(0.4, abs=0.03)
    assert 0.08 <= found.values["a"] < 0.083
    assert found.values["sum"] <= 0.5
    assert len(found.tried) == 40
    # The second bound binds, too.
    bounds = ["sum <= 0.5", "b >= 0.2"]
    found = find(DIALS, X, minimise="a", subject_to=bounds, over=["a", "b"])
    assert found.coefficients == pytest.approx({"a": 0.2, "b": 0.3}, abs=0.02)


def test_maximise():
    found = find(DIALS, X, maximise="sum", subject_to=["a <= 0.04"], over=["a", "b"])
    # From the bowl's middle along the diagonal, by its radius 0.2.
    best = 0.9 + 0.2 * math.sqrt(2)
    assert best - 0.02 < found.values["sum"] <= best
    one = find(MODEL, X, maximise="rate", subject_to="psnr <= 20", metrics=metrics)
    assert one.coefficients["distortion"] == pytest.approx(math.exp(2), rel=1e-2)


def test_one_coefficient_that_neither_rises_nor_falls():
    found = find(DIALS, X, minimise="a", over="a", b=0.6, subject_to=[])
    assert found.coefficients["a"] == pytest.approx(0.3, abs=0.02)


def test_over_the_simplex():
    law = Dirichlet(distortion=1.0, rate=1.0, third=1.0)

    def shares(inputs, outputs):
        a, b, c = outputs[:, 0], outputs[:, 1], outputs[:, 2]
        return {"distortion": (a - 0.2) ** 2 + (b - 0.5) ** 2, "rate": b, "third": c}

    model = LossConditionalModel(Echo(), shares, Coefficients(law))
    names = ["distortion", "rate", "third"]
    usual = {"minimise": "distortion", "over": names}
    found = find(model, X, subject_to="rate <= 0.4", **usual)
    assert found.coefficients["distortion"] == pytest.approx(0.2, abs=0.05)
    assert found.coefficients["rate"] == pytest.approx(0.4, abs=0.02)
    assert sum(found.coefficients.values()) == pytest.approx(1, abs=1e-5)
    with pytest.raises(CoefficientError, match="sum to 1"):
        find(model, X, minimise="rate", over=["rate"])
    with pytest.raises(CoefficientError, match="third is to be chosen"):
        find(model, X, third=0.3, **usual)
    with pytest.raises(CoefficientError, match=r"no coefficient but .*, got fourth"):
        find(model, X, fourth=0.3, **usual)


def test_what_is_out_of_reach_is_named():
    with pytest.raises(YotoError, match=r"sum ≤ 0.1 and b ≥ 0.5 was not reached in 9"):
        find(
            DIALS,
            X,
            minimise="a",
            subject_to=["sum <= 0.1", "b >= 0.5"],
            over=["a", "b"],
            evaluations=9,
        )


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"minimise": "a", "maximise": "b", "over": "a"}, "one term"),
        ({"over": "a"}, "one term"),
        ({"minimise": "a", "over": "a", "coefficient": "a"}, "once"),
        ({"minimise": "a", "over": ["a", "c"]}, "one of: a, b; got c"),
        ({"minimise": "speed", "over": "a"}, "no term 'speed'"),
        ({"minimise": "a", "over": []}, r"each once, got over=\[\]"),
        ({"minimise": "a", "over": ["a", "a"]}, "each once"),
        ({"minimise": "a", "over": "a", "a": 0.3}, "a is to be chosen, .* a=0.3"),
        ({"minimise": "a", "over": ["a", "b"], "c": 0.3}, "'?c'?"),
        ({"minimise": "a", "over": "a", "subject_to": "b <= 1.2.3"}, "a constraint"),
    ],
)
def test_what_cannot_be_meant(arguments, reason):
    with pytest.raises(YotoError, match=reason):
        find(DIALS, X, **arguments)
