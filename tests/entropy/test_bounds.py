import numpy as np
import pytest
import tensorflow as tf

from yoto_tf.entropy.bounds import clip_towards


def gradient(x, upstream):
    x = tf.constant([x])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = upstream * clip_towards(x, 0.0, 1.0)
    return tape.gradient(loss, x).numpy()[0]


def test_values_are_clipped():
    clipped = clip_towards(tf.constant([-2.0, 0.0, 0.3, 1.0, 9.0]), 0.0, 1.0)
    np.testing.assert_array_equal(clipped, np.float32([0, 0, 0.3, 1, 1]))


@pytest.mark.parametrize("x", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("upstream", [-2.0, 3.0])
def test_gradient_passes_inside(x, upstream):
    assert gradient(x, upstream) == upstream


def test_gradient_passes_outside_only_where_descent_moves_back():
    assert gradient(-1.0, -2.0) == -2.0
    assert gradient(-1.0, 2.0) == 0.0
    assert gradient(2.0, 3.0) == 3.0
    assert gradient(2.0, -3.0) == 0.0
