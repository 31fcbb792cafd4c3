import numpy as np
from keras import ops

from yoto_tf.zoo.codec.network.ranged_relu import RangedReLU


def test_it_is_a_relu_that_keeps_the_largest_outputs_of_training():
    relu = RangedReLU()
    inputs = np.array([[-9.0, 1.0], [20.0, 0.5]], "float32")
    expected = [[0, 1], [20, 0.5]]
    np.testing.assert_array_equal(relu(inputs), expected)
    before = ops.convert_to_numpy(relu.largest)
    np.testing.assert_array_equal(relu(inputs, training=True), expected)
    after = ops.convert_to_numpy(relu.largest)
    assert after[0] == 20
    assert 0.9 * before[1] < after[1] < before[1]


def test_a_range_shrinks_to_what_is_seen():
    relu = RangedReLU()
    relu.build((None, 1))
    relu.largest.assign([0.51])
    for _ in range(20):
        relu(np.array([[0.5]], "float32"), training=True)
    assert float(relu.largest[0]) == 0.5
