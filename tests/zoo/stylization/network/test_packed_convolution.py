import contextlib

import keras
import numpy as np
import pytest

from yoto_tf.machine.compilation import local_inference
from yoto_tf.zoo.stylization.network.packed_convolution import PackedConv2D


@pytest.mark.parametrize("pack", [1, 2, 4])
def test_it_is_the_convolution(pack, rng):
    features = rng.normal(size=(2, 13, 20, 5)).astype("float32")
    layer = PackedConv2D(3, 9, pack=pack, bias_initializer="normal")
    layer.build(features.shape)
    plain = keras.layers.Conv2D(3, 9)
    plain.build(features.shape)
    plain.set_weights(layer.get_weights())
    for context in (contextlib.nullcontext, local_inference):
        with context():
            outputs = layer(features)
        assert outputs.shape == (2, 5, 12, 3)
        np.testing.assert_allclose(outputs, plain(features), atol=2e-4)


def test_saved_and_loaded():
    config = PackedConv2D(3, 9, pack=4, name="colors").get_config()
    assert PackedConv2D.from_config(config).get_config() == config
