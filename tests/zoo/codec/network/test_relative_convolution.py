import keras
import numpy as np
from keras import ops

from yoto_tf.zoo.codec.network.relative_convolution import RelativeConv2D

FEATURES = np.random.default_rng(0).normal(size=(1, 6, 6, 3)).astype("float32")


def test_units_leave_the_outputs_as_they_are():
    layer = RelativeConv2D(2, 3, padding="same", bias_initializer="ones")
    before = ops.convert_to_numpy(layer(FEATURES))
    for units in ([0.5, 0.01], [0.02, 1.0]):
        layer.set_unit(units)
        after = ops.convert_to_numpy(layer(FEATURES))
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-5)


def test_a_step_of_adam_moves_a_channel_in_proportion_to_its_unit():
    inputs = keras.Input((6, 6, 3))
    layer = RelativeConv2D(2, 3, padding="same")
    model = keras.Model(inputs, layer(inputs))
    layer.set_unit([1.0, 0.01])
    before = ops.convert_to_numpy(model(FEATURES))
    model.compile(keras.optimizers.Adam(0.001), "mse")
    # A wish so strong that Adam's step is the whole of its rate.
    model.train_on_batch(FEATURES, before + 1000 * FEATURES[..., :1])
    moved = np.abs(ops.convert_to_numpy(model(FEATURES)) - before).mean(axis=(0, 1, 2))
    assert 0.001 < moved[0] < 0.1
    np.testing.assert_allclose(moved[1] / moved[0], 0.01, rtol=0.2)
