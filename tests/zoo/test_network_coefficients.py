import keras
import pytest

from yoto_tf import Fixed
from yoto_tf.errors import CoefficientError
from yoto_tf.zoo.codec import Hyperprior
from yoto_tf.zoo.stylization.network.style_network import StyleNetwork
from yoto_tf.zoo.vae import ConvVAE


@pytest.mark.parametrize("network", [Hyperprior, StyleNetwork, ConvVAE])
def test_a_configuration_with_something_else_is_refused(network):
    config = {"coefficients": keras.saving.serialize_keras_object(Fixed(1.0))}
    with pytest.raises(CoefficientError, match="coefficients, got a Fixed"):
        network.from_config(config)
