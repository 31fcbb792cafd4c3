import dataclasses

import keras
import numpy as np
import pytest
from new_style import style_loss, without_encoder

from yoto_tf import Coefficients, LogUniform
from yoto_tf.zoo.stylization import StyleNetwork, Stylizer


@pytest.fixture(scope="module")
def stylizer():
    keras.utils.set_random_seed(0)
    names = ("content", "style_1", "style_2")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    network = StyleNetwork(
        coefficients, ("dots", "checks"), 0.125, 1, 8, style_encoder=True
    )
    network.build(None)
    return Stylizer.from_network(network)


def test_a_stylizer_without_its_encoder_paints_the_same(stylizer):
    blind = Stylizer(without_encoder(stylizer.release))
    assert blind.model.style_encoder is None
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype("uint8")
    np.testing.assert_array_equal(
        blind.stylize(image, "checks"), stylizer.stylize(image, "checks")
    )


@dataclasses.dataclass
class Terms:
    """Two style terms, by the painting that a batch asks for."""

    grams: dict

    def __call__(self, inputs, outputs):
        aims = inputs["style"] @ self.grams["layer"]
        ones = np.ones(len(outputs))
        return {"content": 9 * ones, "style_1": aims[:, 0], "style_2": 2 * ones}


def test_the_loss_is_that_of_the_style_terms(stylizer):
    terms = Terms({"layer": np.array([[3.0]])})
    photographs = np.full((3, 16, 16, 3), 0.5, "float32")
    assert style_loss(stylizer, "checks", terms, photographs) == 5
