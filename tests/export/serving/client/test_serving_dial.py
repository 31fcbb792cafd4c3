"""The client's coefficients are the library's."""

import keras
import numpy as np
import pytest

from yoto_tf import Coefficients, Discrete, Fixed, LogArcsine, LogUniform, Uniform
from yoto_tf.errors import CoefficientError
from yoto_tf.export.serving.client.dial import Dial
from yoto_tf.zoo.release import Release

COEFFICIENTS = Coefficients(
    a=LogUniform(0.0018, 0.18),
    b=Uniform(-1.0, 3.0),
    c=Fixed(0.3),
    d=Discrete([1.0, 2.0, 5.0, 9.0]),
    e=LogArcsine(0.01, 10.0),
)


@pytest.fixture(scope="module")
def dial():
    serialized = keras.saving.serialize_keras_object(COEFFICIENTS)
    config = {"config": {"coefficients": serialized}}
    return Dial(Release("codec", config, COEFFICIENTS.ranges(), {}, {}))


@pytest.mark.parametrize("q", np.linspace(0, 1, 21))
def test_quantiles(dial, q):
    np.testing.assert_array_equal(dial.at(q), COEFFICIENTS.at(q))


@pytest.mark.parametrize("values", [{}, {"a": 0.02}, {"b": 3, "d": 4.5}])
def test_vectors(dial, values):
    np.testing.assert_array_equal(dial.vector(**values), COEFFICIENTS.vector(**values))


@pytest.mark.parametrize(
    "values", [{"a": 0.2}, {"a": float("nan")}, {"b": "much"}, {"f": 1}, {"bb": 1.0}]
)
def test_refusals(dial, values):
    with pytest.raises(CoefficientError) as ours:
        dial.vector(**values)
    with pytest.raises(CoefficientError) as theirs:
        COEFFICIENTS.vector(**values)
    assert str(ours.value) == str(theirs.value)
