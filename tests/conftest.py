"""A photograph, and a codec that nobody trained, yet that reconstructs pictures."""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# How long an example takes says more of the machine than of the code. Every run tries
# the same examples; others are tried by `pytest --hypothesis-profile=explore`.
hypothesis.settings.register_profile("project", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None)
hypothesis.settings.load_profile("project")

if os.environ.get("KERAS_BACKEND") == "torch":
    import torch

    def _array(tensor, dtype=None, copy=None):
        """Tests hand tensors to NumPy, which elsewhere need not be detached."""
        tensor = tensor.detach().cpu()
        if tensor.dtype is torch.bfloat16:
            tensor = tensor.float()
        array = tensor.numpy()
        return array if dtype is None else array.astype(dtype)

    torch.Tensor.__array__ = _array


@pytest.fixture
def saved_on_jax(tmp_path):
    """Runs a script on the JAX backend; {name: array} of the .npz it was told to save.

    Backends are chosen when Keras is imported, so that each needs its own process.
    """

    def run(script):
        path = tmp_path / "jax.npz"
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            # Most is run once: what takes the time is to compile it.
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
            # For what the tests share.
            "PYTHONPATH": str(Path(__file__).parent),
        }
        subprocess.run([sys.executable, script, path], env=environment, check=True)
        return np.load(path)

    return run


@pytest.fixture(scope="session")
def photograph():
    """uint8 [600, 512, 3]."""
    from yoto_tf.data import photograph

    return photograph()


@pytest.fixture(scope="session")
def untrained_codec(photograph):
    """A small hyperprior `Codec` that starts as a linear transform codec."""
    from linear_codec import linear_hyperprior

    from yoto_tf.zoo.codec import Codec

    network = linear_hyperprior(photograph, (16, 32, 48, 64), 16)
    return Codec.from_network(network, "# Test codec\n\nNobody trained it.\n")


@pytest.fixture(scope="session")
def context_codec(photograph):
    """Likewise, with residual blocks and a context."""
    from linear_codec import linear_context_hyperprior

    from yoto_tf.zoo.codec import Codec

    return Codec.from_network(linear_context_hyperprior(photograph))


@pytest.fixture(scope="session")
def release_folder(untrained_codec, tmp_path_factory):
    """The codec as a release on disk, a MODEL by its directory."""
    folder = tmp_path_factory.mktemp("release") / "codec"
    untrained_codec.save(folder)
    return folder


@pytest.fixture
def pretrained(release_folder, tmp_path_factory, monkeypatch):
    """Makes it the one pretrained model, under the name "codec"."""
    from yoto_tf.zoo import families

    root = tmp_path_factory.mktemp("zoo")
    (root / "codec" / "released").mkdir(parents=True)
    (root / "codec" / "released" / "codec").symlink_to(release_folder)
    monkeypatch.setattr(
        families, "released_folder", lambda family: root / family.name / "released"
    )
    return release_folder
