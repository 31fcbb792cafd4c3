"""Small stand-ins: paintings, photographs, a VGG network, a stylizer."""

import dataclasses

import numpy as np
import pytest
from PIL import Image
from small_stylizer import VGG, random_style_network

from yoto_tf.zoo.recipes import load_recipe


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def vgg_weights():
    """{layer: (kernel, bias)} of random numbers."""
    rng = np.random.default_rng(1)
    weights, before = {}, 3
    for name, channels in VGG.items():
        scale = (2 / (9 * before)) ** 0.5
        kernel = rng.normal(0, scale, (3, 3, before, channels))
        bias = rng.normal(0, 1, channels)
        weights[name] = (kernel.astype("float32"), bias.astype("float32"))
        before = channels
    return weights


@pytest.fixture(scope="session")
def features_file(vgg_weights, tmp_path_factory):
    """The same as an `.npz` file."""
    path = tmp_path_factory.mktemp("features") / "vgg.npz"
    arrays = {}
    for name, (kernel, bias) in vgg_weights.items():
        arrays |= {f"{name}/kernel": kernel, f"{name}/bias": bias}
    np.savez(path, **arrays)
    return path


@pytest.fixture(scope="session")
def paintings(tmp_path_factory):
    """A folder of three paintings of different sizes, named after its `STYLES`."""
    folder = tmp_path_factory.mktemp("paintings")
    y, x = np.mgrid[:64, :80]
    pictures = {
        "checks": (x // 8 + y // 8) % 2,
        "dots": ((x % 8 - 4) ** 2 + (y % 8 - 4) ** 2 < 8) * 1,
        "stripes": (x + y) // 4 % 2,
    }
    colors = np.array([[200, 40, 40], [40, 40, 200], [240, 220, 20], [20, 60, 40]])
    for number, (name, pattern) in enumerate(pictures.items()):
        pixels = colors[pattern + number % 3].astype("uint8")
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def photographs(photograph, tmp_path_factory):
    """A folder of two photographs."""
    folder = tmp_path_factory.mktemp("photographs")
    Image.fromarray(photograph[:150, :200]).save(folder / "top.png")
    Image.fromarray(photograph[200:420, 100:300]).save(folder / "face.png")
    return folder


@pytest.fixture
def network(rng):
    """An untrained `StyleNetwork` whose conditioning is far from its start."""
    return random_style_network(rng)


@pytest.fixture(scope="session")
def stylizer():
    from yoto_tf.zoo.stylization import Stylizer

    network = random_style_network(np.random.default_rng(0))
    return Stylizer.from_network(network, "# Test stylizer\n\nNobody trained it.\n")


@pytest.fixture(scope="session")
def sighted():
    """A stylizer with a style encoder that nobody trained."""
    from yoto_tf.zoo.stylization import Stylizer

    rng = np.random.default_rng(0)
    return Stylizer.from_network(random_style_network(rng, style_encoder=True))


@pytest.fixture(scope="session")
def sighted_folder(sighted, tmp_path_factory):
    """The same as a release on disk."""
    folder = tmp_path_factory.mktemp("sighted") / "stylizer"
    sighted.save(folder)
    return folder


@pytest.fixture(scope="session")
def stylizer_folder(stylizer, tmp_path_factory):
    """The stylizer as a release on disk, a MODEL by its directory."""
    folder = tmp_path_factory.mktemp("release") / "stylizer"
    stylizer.save(folder)
    return folder


@pytest.fixture
def recipe(paintings, features_file):
    """stylization/small, so small that it trains in seconds."""
    return dataclasses.replace(
        load_recipe("stylization/small"),
        styles=str(paintings),
        features=str(features_file),
        width=0.125,
        blocks=1,
        patch_size=32,
        style_size=48,
        batch_size=4,
        warmup_steps=5,
        precision="float32",
    )
