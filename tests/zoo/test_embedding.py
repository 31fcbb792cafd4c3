"""The embedding of the coefficients is computed once a call, by each family."""

import keras
import pytest
from keras import ops

from yoto_tf import Coefficients, LogUniform
from yoto_tf.layers import CoefficientEmbedding
from yoto_tf.zoo.codec import FactorizedPrior, Hyperprior
from yoto_tf.zoo.stylization import StyleNetwork
from yoto_tf.zoo.vae import ConvVAE


@pytest.fixture
def calls(monkeypatch):
    """The inputs of all embeddings that were computed."""
    found, compute = [], CoefficientEmbedding.call

    def call(self, inputs):
        found.append(inputs)
        return compute(self, inputs)

    monkeypatch.setattr(CoefficientEmbedding, "call", call)
    return found


@pytest.fixture(params=["hyperprior", "factorized"])
def codec_network(request):
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    if request.param == "hyperprior":
        network = Hyperprior(coefficients, (4, 4, 4, 4), 4)
    else:
        network = FactorizedPrior(coefficients, (4, 4, 4, 4))
    network.build(None)
    return network


def test_codec(codec_network, calls):
    image, vector = ops.zeros((1, 64, 64, 3), "uint8"), ops.full((1, 1), 0.02)
    codec_network({"image": ops.cast(image, "float32"), "coefficients": vector})
    assert len(calls) == 1
    # Its graphs alone, for which no tables have to be built.
    coding = codec_network.coding.__new__(codec_network.coding)
    coding.network = codec_network
    integers = coding.analyze(image, vector)
    assert len(calls) == 2
    coding.synthesize(*integers, vector)
    assert len(calls) == 3


def test_stylization(calls):
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.1, 1.0)))
    network = StyleNetwork(coefficients, ("dots",), 0.125, 1, 4)
    network.build(None)
    network(
        {
            "image": keras.random.uniform((1, 16, 16, 3)),
            "style": ops.ones((1, 1)),
            "coefficients": ops.full((1, 5), 0.5),
        }
    )
    assert len(calls) == 1


def test_vae(calls):
    network = ConvVAE(
        Coefficients(kl=LogUniform(0.1, 1.0)), (8, 8, 1), (2, 2), 4, 2, "gaussian", 4
    )
    network.build(None)
    image, kl = keras.random.uniform((1, 8, 8, 1)), ops.full((1, 1), 0.5)
    network({"image": image, "coefficients": kl})
    assert len(calls) == 1
