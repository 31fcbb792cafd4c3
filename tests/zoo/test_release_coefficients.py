"""A release's coefficients, as who has no Keras reads them."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from yoto_tf import (
    Coefficients,
    Dirichlet,
    Discrete,
    Fixed,
    LogArcsine,
    LogUniform,
    Uniform,
    zoo,
)
from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.zoo.network_config import without_modules
from yoto_tf.zoo.release import Release

INDEPENDENT = Coefficients(
    a=LogUniform(0.0018, 0.18),
    b=Uniform(-1.0, 3.0),
    c=Fixed(0.3),
    d=Discrete([1.0, 2.0, 5.0, 9.0]),
    e=LogArcsine(0.01, 10.0),
)
JOINT = Coefficients(Dirichlet(left=1.0, right=3.0))


def release_of(coefficients):
    serialized = without_modules(keras.saving.serialize_keras_object(coefficients))
    config = {"config": {"coefficients": serialized}}
    return Release("codec", config, coefficients.ranges(), {}, {})


@pytest.mark.parametrize("q", np.linspace(0, 1, 21))
def test_quantiles(q):
    np.testing.assert_array_equal(
        release_of(INDEPENDENT).coefficients.at(q), INDEPENDENT.at(q)
    )


@pytest.mark.parametrize("values", [{}, {"a": 0.02}, {"b": 3, "d": 4.5}])
def test_vectors(values):
    np.testing.assert_array_equal(
        release_of(INDEPENDENT).coefficients.vector(**values),
        INDEPENDENT.vector(**values),
    )


@pytest.mark.parametrize(
    "values", [{"a": 0.2}, {"a": float("nan")}, {"b": "much"}, {"f": 1}, {"bb": 1.0}]
)
def test_refusals(values):
    with pytest.raises(CoefficientError) as ours:
        release_of(INDEPENDENT).coefficients.vector(**values)
    with pytest.raises(CoefficientError) as theirs:
        INDEPENDENT.vector(**values)
    assert str(ours.value) == str(theirs.value)


def test_coefficients_that_sum_to_one():
    coefficients = release_of(JOINT).coefficients
    np.testing.assert_allclose(coefficients.vector(), [0.25, 0.75])
    np.testing.assert_allclose(coefficients.vector(left=0.4, right=0.6), [0.4, 0.6])
    for refused in (
        lambda: coefficients.vector(left=0.4),
        lambda: coefficients.vector(left=0.4, right=0.4),
        lambda: coefficients.at(0.9),
    ):
        with pytest.raises(CoefficientError, match="sum to 1"):
            refused()


@pytest.mark.parametrize(
    ("serialized", "message"),
    [
        (None, "expected serialised coefficients"),
        ({}, "expected serialised coefficients"),
        (
            {"registered_name": "yoto_tf>Fixed", "config": {"value": 1.0}},
            "expected serialised coefficients, got a Fixed",
        ),
        (
            {"registered_name": "yoto_tf>Uniform", "config": {"low": 2, "high": 1}},
            "needs low < high",
        ),
        (
            {"registered_name": "yoto_tf>Uniform", "config": {"low": 2}},
            "expected serialised coefficients",
        ),
    ],
)
def test_what_cannot_be_is_one_line(serialized, message):
    release = Release("codec", {"config": {"coefficients": serialized}}, {}, {}, {})
    with pytest.raises(RecipeError, match=message) as caught:
        _ = release.coefficients
    assert "\n" not in str(caught.value)


def test_ranges_are_compared():
    release = release_of(JOINT)
    with pytest.raises(RecipeError, match="has the ranges"):
        _ = Release("codec", release.config, {"left": (0, 2)}, {}, {}).coefficients


def test_none_of_it_imports_keras():
    code = """
import json, sys
from yoto_tf import zoo
rows = {n: zoo.release_of(n).coefficients.at(0.5).tolist() for n in zoo.names()}
assert not {"keras", "tensorflow", "jax"} & set(sys.modules)
print(json.dumps(rows))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = {
        name: zoo.load(name).coefficients.at(0.5).tolist() for name in zoo.names()
    }
    assert json.loads(done.stdout) == expected
