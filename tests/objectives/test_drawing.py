import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError
from yoto_tf.objectives.drawing import ReplicaSeeds, fixed_vectors, next_fixed

LAWS = {
    "log": yoto.LogUniform(0.01, 10),
    "ends": yoto.LogArcsine(0.1, 10),
    "line": yoto.Uniform(-2, 3),
    "one": yoto.Fixed(0.5),
    "some": yoto.Discrete([1, 2, 5]),
}
COEFFICIENTS = yoto.Coefficients(**LAWS)


@settings(max_examples=20)
@given(count=st.integers(1, 40), seed=st.integers(0, 2**31 - 1))
def test_stratified_draws_have_one_value_in_each_part(count, seed):
    generator = keras.random.SeedGenerator(seed)
    drawn = np.array(COEFFICIENTS.sample(count, generator, "stratified"))
    assert drawn.shape == (count, 5)
    for name in ("log", "ends", "line"):
        column = np.sort(drawn[:, COEFFICIENTS.names.index(name)])
        edges = LAWS[name].quantile(np.arange(count + 1) / count)
        slack = 1e-4 * np.abs(edges) + 1e-5
        assert (column >= (edges - slack)[:-1]).all()
        assert (column <= (edges + slack)[1:]).all()
    assert (drawn[:, 3] == 0.5).all()
    assert set(drawn[:, 4]) <= {1.0, 2.0, 5.0}


def test_stratified_draws_come_in_random_order():
    drawn = np.array(
        COEFFICIENTS.sample(512, keras.random.SeedGenerator(0), "stratified")
    )
    correlation = np.corrcoef(np.log(drawn[:, 0]), drawn[:, 2])[0, 1]
    assert abs(correlation) < 0.15
    counts = np.unique(drawn[:, 4], return_counts=True)[1]
    assert counts.max() - counts.min() <= 2


def test_one_vector_for_a_batch():
    seed = keras.random.SeedGenerator(0)
    for coefficients in (
        COEFFICIENTS,
        yoto.Coefficients(yoto.Dirichlet(a=1.0, b=2.0)),
    ):
        first, second = (np.array(coefficients.sample(6, seed, "batch")) for _ in "ab")
        coefficients.validate(first)
        assert (first == first[0]).all()
        assert (first[0] != second[0]).any()


def test_ways_of_drawing_that_there_are_not():
    with pytest.raises(CoefficientError, match="draw must be one of"):
        COEFFICIENTS.sample(2, keras.random.SeedGenerator(0), "all")
    joint = yoto.Coefficients(yoto.Dirichlet(a=1.0, b=2.0))
    with pytest.raises(CoefficientError, match="cannot be stratified one by one"):
        joint.check_draw("stratified")


def test_fixed_vectors_are_gone_through_in_order_and_again():
    vectors = fixed_vectors(COEFFICIENTS, 8)
    seed = ReplicaSeeds()
    seed.state.assign([0, 0])
    rows = [np.array(next_fixed(vectors, seed, size)) for size in (5, 5, 5)]
    expected = vectors[np.arange(15) % 8]
    np.testing.assert_array_equal(np.concatenate(rows), expected)
    seed.state.assign([0, 0])
    rows = [np.array(next_fixed(vectors, seed, 3, one_vector=True)) for _ in "ab"]
    np.testing.assert_array_equal(np.concatenate(rows), vectors[[0, 0, 0, 1, 1, 1]])


def test_rows_of_one_value_or_one_an_example():
    coefficients = yoto.Coefficients(a=yoto.Uniform(0, 1), b=yoto.Uniform(0, 4))
    rows = coefficients.rows(3, a=[0.1, 0.2, 0.3])
    np.testing.assert_allclose(rows, [[0.1, 2], [0.2, 2], [0.3, 2]], rtol=1e-6)
    assert ops.shape(coefficients.rows(2, a=0.5, b=1.0)) == (2, 2)
    with pytest.raises(CoefficientError, match="one value or one for each of 3"):
        coefficients.rows(3, a=[0.1, 0.2])
    with pytest.raises(CoefficientError, match="b = 9 is outside"):
        coefficients.rows(2, b=[1.0, 9.0])
