"""Small models of every family that nobody trained, and a running page with them."""

import socket

import keras
import numpy as np
import pytest

from yoto_tf import Coefficients, LogUniform


@pytest.fixture(scope="session")
def stylizer():
    from yoto_tf.zoo.stylization import StyleNetwork, Stylizer

    keras.utils.set_random_seed(0)
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    network = StyleNetwork(coefficients, ("great_wave", "udnie"), 0.125, 2, 8)
    network.build(None)
    return Stylizer.from_network(_away_from_its_start(network))


@pytest.fixture(scope="session", params=[(8, 8, 3), (8, 8, 1)], ids=["colour", "grey"])
def vae(request):
    return small_vae(request.param)


def small_vae(shape):
    from yoto_tf.zoo.vae import VAE
    from yoto_tf.zoo.vae.conv_vae import ConvVAE

    keras.utils.set_random_seed(0)
    coefficients = Coefficients(kl=LogUniform(0.125, 512))
    network = ConvVAE(coefficients, shape, (4, 8), 16, 4, film_units=16)
    network.build(None)
    return VAE.from_network(_away_from_its_start(network))


@pytest.fixture(scope="session")
def address(untrained_codec, stylizer, photograph):
    """The URL of a page with a model of every family, and two VAEs."""
    pytest.importorskip("gradio", reason="the extra `web` is not installed")
    from yoto_tf.demo.web import serve

    models = {
        "codec": untrained_codec,
        "stylization": stylizer,
        "vae-colour": small_vae((8, 8, 3)),
        "vae-grey": small_vae((8, 8, 1)),
    }
    with serve(models, photograph[::4, ::4], port=0) as url:
        yield url


@pytest.fixture(scope="session")
def free_port():
    """A function that finds a port nobody listens on."""

    def find():
        with socket.create_server(("127.0.0.1", 0)) as server:
            return server.getsockname()[1]

    return find


def _away_from_its_start(network):
    """Networks start with dials that do nothing."""
    rng = np.random.default_rng(0)
    for weight in network.trainable_variables:
        weight.assign(weight + rng.normal(0, 0.1, weight.shape))
    return network
