"""What must hold of the weights that ship, on a photograph they have not seen."""

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release import start_from

RECIPES = {
    "codec": "codec/context",
    "codec-small": "codec/small",
    "codec-v1": "codec/large",
}


@pytest.fixture(scope="module", params=RECIPES)
def released(request):
    return zoo.load(request.param)


@pytest.fixture(scope="module")
def files(released, photograph):
    """{λ: file} from end to end of the dial."""
    return {
        setting["distortion"]: released.compress(photograph, **setting)
        for setting in released.settings(4)
    }


def test_a_file_decodes_to_the_network_s_reconstruction(released, files, photograph):
    for value, data in files.items():
        expected = released.reconstruct(photograph, distortion=value)
        np.testing.assert_array_equal(released.decompress(data), expected)


def test_estimated_bits_are_those_of_the_files(released, files, photograph):
    image = (photograph / 255).astype("float32")[None]
    for value, data in files.items():
        vector = released.vector(distortion=value)
        outputs = released.model({"image": image, "coefficients": vector[None]})
        estimated = float(outputs["bits"][0]) / 8
        assert abs(estimated - len(data)) < 0.01 * len(data) + 100


def test_bits_and_quality_rise(released, files, photograph):
    sizes = [len(data) for data in files.values()]
    qualities = [psnr(photograph, released.decompress(d)) for d in files.values()]
    assert sizes == sorted(set(sizes))
    assert qualities == sorted(set(qualities))


@pytest.mark.parametrize(("name", "recipe"), RECIPES.items())
def test_training_carries_on_from_it(name, recipe):
    network = load_recipe(recipe).build().network
    network.build(None)
    start_from(network, zoo.release_of(name))
