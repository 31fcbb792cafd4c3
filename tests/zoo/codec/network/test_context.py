import numpy as np
import pytest
from keras import ops

from yoto_tf.zoo.codec.network.context import (
    QuadtreeContext,
    from_cells,
    join_passes,
    split_passes,
    to_cells,
)

RANDOM = np.random.default_rng(0)
MAPS = RANDOM.normal(size=(2, 6, 8, 12)).astype("float32")
FEATURES = RANDOM.normal(size=(2, 6, 8, 5)).astype("float32")
EMBEDDING = RANDOM.normal(size=(2, 3)).astype("float32")


@pytest.fixture(scope="module")
def context():
    context = QuadtreeContext(12, 8)
    context.build((None, None, None, 5), (None, 3))
    for weight in context.weights:
        weight.assign(RANDOM.normal(size=weight.shape))
    return context


def test_cells_and_passes_are_put_together_again():
    np.testing.assert_array_equal(from_cells(to_cells(MAPS)), MAPS)
    passes = split_passes(MAPS)
    assert [tuple(cells.shape) for cells in passes] == [(4, 2, 3, 4, 3)] * 4
    np.testing.assert_array_equal(join_passes(passes), MAPS)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_sums_are_those_of_a_convolution_of_all_that_is_known(context, number):
    passes = split_passes(MAPS)
    sums = context.start(FEATURES)
    for earlier in range(number):
        sums = context.add(sums, passes[earlier], earlier)
    known = join_passes(
        [
            cells if earlier < number else ops.zeros_like(cells)
            for earlier, cells in enumerate(passes)
        ]
    )
    expected = ops.conv(known, context.neighbours, padding="same")
    expected += ops.matmul(FEATURES, context.features)
    np.testing.assert_allclose(from_cells(sums), expected, rtol=1e-4, atol=1e-4)


def test_a_correction_depends_on_pass_place_and_embedding(context):
    sums = ops.ones((4, 2, 1, 1, 8))
    one = ops.convert_to_numpy(context.correction(sums, 1, EMBEDDING))
    assert one.shape == (4, 2, 1, 1, 3)
    assert np.abs(one - context.correction(sums, 2, EMBEDDING)).max() > 0.01
    assert np.abs(one[0] - one[1]).max() > 0.01
    assert np.abs(one[:, 0] - one[:, 1]).max() > 0.01


def test_it_starts_as_no_correction():
    context = QuadtreeContext(12, 8)
    context.build((None, None, None, 5), (None, 3))
    sums = context.add(context.start(FEATURES), split_passes(MAPS)[0], 0)
    assert not np.any(context.correction(sums, 1, EMBEDDING))
