"""A photograph, and a codec that nobody trained, yet that reconstructs pictures."""

import os
import subprocess
import sys

import hypothesis
import numpy as np
import pytest

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("project", deadline=None)
hypothesis.settings.load_profile("project")


@pytest.fixture
def saved_on_jax(tmp_path):
    """Runs a script on the JAX backend; {name: array} of the .npz it was told to save.

    Backends are chosen when Keras is imported, so that each needs its own process.
    """

    def run(script):
        path = tmp_path / "jax.npz"
        environment = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"}
        subprocess.run([sys.executable, script, path], env=environment, check=True)
        return np.load(path)

    return run


@pytest.fixture(scope="session")
def photograph():
    """uint8 [600, 512, 3]."""
    from yoto_tf.zoo.demo import photograph

    return photograph()


@pytest.fixture(scope="session")
def untrained_codec(photograph):
    """A small hyperprior `Codec` that starts as a linear transform codec."""
    import keras

    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.zoo.codec import Codec, Hyperprior
    from yoto_tf.zoo.codec.linear_start import start_as_linear_codec

    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, (16, 32, 48, 64), 16)
    network.build(None)
    patches = [
        photograph[y : y + 64, x : x + 64]
        for y in range(0, 512, 64)
        for x in range(0, 448, 64)
    ]
    start_as_linear_codec(network, np.stack(patches) / 255)
    return Codec.from_network(network, "# Test codec\n\nNobody trained it.\n")


@pytest.fixture(scope="session")
def release_folder(untrained_codec, tmp_path_factory):
    """The codec as a release on disk, a MODEL by its directory."""
    folder = tmp_path_factory.mktemp("release") / "codec"
    untrained_codec.save(folder)
    return folder


@pytest.fixture
def pretrained(release_folder, tmp_path_factory, monkeypatch):
    """Makes it the one pretrained model, under the name "codec"."""
    from yoto_tf import zoo

    root = tmp_path_factory.mktemp("zoo")
    (root / "codec" / "released").mkdir(parents=True)
    (root / "codec" / "released" / "codec").symlink_to(release_folder)
    monkeypatch.setattr(zoo, "_ROOT", root)
    return release_folder
