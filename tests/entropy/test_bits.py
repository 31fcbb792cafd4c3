import numpy as np
import tensorflow as tf

from yoto_tf.entropy.bits import total_bits


def test_bits_are_summed_over_each_example():
    likelihood = tf.constant([[[0.5, 0.25]], [[1.0, 1.0]]])
    np.testing.assert_allclose(total_bits(likelihood), [3, 0], atol=1e-6)


def test_an_impossible_value_costs_thirty_bits_and_wants_to_become_likelier():
    likelihood = tf.constant([[0.0]])
    with tf.GradientTape() as tape:
        tape.watch(likelihood)
        bits = total_bits(likelihood)
    np.testing.assert_allclose(bits, np.log2([1e9]), rtol=1e-5)
    assert float(tape.gradient(bits, likelihood)[0, 0]) < 0
