import keras
import numpy as np
import pytest
from keras import ops

from yoto_tf import Coefficients, LogUniform
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.codec import Codec, ContextHyperprior, Hyperprior, ResidualHyperprior
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.training.context_start import start_from_hyperprior

COEFFICIENTS = Coefficients(distortion=LogUniform(0.0018, 0.18))
SHAPE = {"filters": (8, 16, 24), "blocks": (1, 1, 1), "hyper_filters": 8}


def randomised(network):
    network.build(None)
    random = np.random.default_rng(0)
    for weight in network.trainable_variables:
        weight.assign_add(0.03 * random.normal(size=weight.shape))
    return network


@pytest.mark.parametrize("distortion", [0.0018, 0.18])
def test_bits_are_those_of_the_file(context_codec, photograph, distortion):
    """Of all but the header. What outliers take, the network counts roughly."""
    image = photograph[:256, :384]
    network = context_codec.model
    outputs = network(
        {
            "image": image[None] / np.float32(255),
            "coefficients": np.array([[distortion]], "float32"),
        },
        training=False,
    )
    data = context_codec.compress(image, distortion=distortion)
    coded = sum(map(len, Container.from_bytes(data).sections))
    assert float(outputs["bits"][0]) / 8 == pytest.approx(coded, rel=0.02, abs=100)


def test_decoding_is_reconstruction(context_codec, photograph):
    image = photograph[:200, :150]
    for quality in (0.0, 1.0):
        data = context_codec.compress(image, quality)
        np.testing.assert_array_equal(
            context_codec.decompress(data), context_codec.reconstruct(image, quality)
        )


def test_symbols_and_means_are_the_latents(context_codec, photograph):
    """Latents are quantised around means that later passes know more for."""
    network = context_codec.model
    embedding = network.embedding(np.array([[0.02]], "float32"))
    image = photograph[None, :128, :192] / np.float32(255)
    latents = network.analyze(image, embedding)
    hyper_latents = ops.round(network.hyper_analyze(latents, embedding))
    symbols = network.symbols(latents, hyper_latents, embedding)
    quantized = network.quantized(symbols, hyper_latents, embedding)
    scaled = latents * ops.exp(network.log_gain(embedding))
    assert np.abs(quantized - scaled).max() < 0.501
    without = network.mean(hyper_latents, embedding)
    assert np.abs(quantized - symbols - without).max() > 0.1


def test_it_computes_in_bfloat16(context_codec, photograph):
    """Called as a whole, as in training, where Keras casts variables."""
    half = Codec(context_codec.release, precision="mixed_bfloat16")
    inputs = {
        "image": photograph[None, :128, :192] / np.float32(255),
        "coefficients": np.array([[0.02]], "float32"),
    }
    found, expected = (m.model(inputs, training=False) for m in (half, context_codec))
    error = np.abs(found["reconstruction"] - expected["reconstruction"])
    assert np.mean(error) < 0.02
    np.testing.assert_allclose(found["bits"], expected["bits"], rtol=0.1)


def test_every_weight_is_trained(photograph):
    network = randomised(ContextHyperprior(COEFFICIENTS, **SHAPE, context_filters=8))

    class Loss(keras.Model):
        def __init__(self):
            super().__init__()
            self.network = network

        def call(self, inputs, training=None):
            outputs = self.network(inputs, training=training)
            image = outputs["reconstruction"] - inputs["image"]
            return outputs["bits"] / 1000 + ops.sum(ops.square(image))

    # Hyper-latents that round to more than zero.
    network.hyper_log_gain.dense.bias.assign_add([40.0] * 8)
    model = Loss()
    batch = {
        "image": photograph[None, :128, :128] / np.float32(255),
        "coefficients": np.array([[0.1]], "float32"),
    }
    before = [ops.convert_to_numpy(weight) for weight in network.trainable_variables]
    model.compile(optimizer="sgd", loss=lambda _, loss: loss)
    model.fit(batch, np.zeros(1), epochs=1, verbose=0)
    after = network.trainable_variables
    still = [
        weight.path
        for weight, old in zip(after, before, strict=True)
        if np.array_equal(weight, old)
    ]
    assert not still


@pytest.fixture(scope="module")
def base():
    network = randomised(ResidualHyperprior(COEFFICIENTS, **SHAPE))
    return Codec.from_network(network).release


def test_it_starts_from_a_network_without_a_context(base, photograph):
    network = ContextHyperprior(COEFFICIENTS, **SHAPE, context_filters=8)
    network.build(None)
    start_from_hyperprior(network, base)
    inputs = {
        "image": photograph[None, :128, :128] / np.float32(255),
        "coefficients": np.array([[0.1]], "float32"),
    }
    before = base.network()(inputs, training=False)
    after = network(inputs, training=False)
    assert float(after["bits"][0]) == pytest.approx(float(before["bits"][0]), rel=0.01)
    np.testing.assert_allclose(
        after["reconstruction"], before["reconstruction"], atol=0.01
    )


def test_it_starts_from_nothing_else(base):
    network = ContextHyperprior(COEFFICIENTS, **{**SHAPE, "hyper_filters": 16})
    network.build(None)
    with pytest.raises(RecipeError, match="has shape"):
        start_from_hyperprior(network, base)
    wider = Coefficients(distortion=LogUniform(0.0018, 1.5))
    network = ContextHyperprior(wider, **SHAPE)
    network.build(None)
    with pytest.raises(RecipeError, match=r"λ in .*1\.5"):
        start_from_hyperprior(network, base)
    other = Hyperprior(COEFFICIENTS, (8, 8, 8, 12), 8)
    other.build(None)
    with pytest.raises(RecipeError, match="added to a ResidualHyperprior"):
        start_from_hyperprior(network, Codec.from_network(other).release)


def test_latents_come_in_four_groups():
    with pytest.raises(ValueError, match=r"multiple of 4.*\(8, 8, 10\)"):
        ContextHyperprior(COEFFICIENTS, (8, 8, 10))
