import numpy as np
import pytest
from small_stylizer import random_style_network

from yoto_tf.zoo.stylization import Stylizer
from yoto_tf.zoo.stylization.network.stripes import stylize_in_stripes


@pytest.mark.parametrize(
    ("size", "values"),
    [((64, 48), 1), ((64, 48), 3000), ((61, 50), 2000), ((61, 50), 10**9)],
)
def test_stripes_give_the_picture_that_the_network_gives_at_once(
    stylizer, photograph, size, values
):
    image = photograph[: size[0], : size[1]]
    style = np.array([0.5, 0.5, 0.0], "float32")
    vector = stylizer.coefficients.vector(content=1.0, style_2=0.05)
    striped = stylize_in_stripes(stylizer.model, image, style, vector, values)
    mixture = {"checks": 1.0, "dots": 1.0}
    whole = stylizer.stylize(image, mixture, content=1.0, style_2=0.05)
    assert striped.shape == image.shape
    assert striped.dtype == np.uint8
    # The statistics are summed in another order: roundings may differ.
    difference = np.abs(striped.astype(int) - whole)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_stripes_of_a_network_that_doubles_by_its_nearest(rng, photograph):
    network = random_style_network(rng, "nearest")
    image, style = photograph[:61, :50], np.array([0, 1, 0], "float32")
    vector = network.coefficients.vector()
    striped = stylize_in_stripes(network, image, style, vector, 2000)
    whole = Stylizer.from_network(network).stylize(image, "dots")
    # The latter rounds its weights.
    assert np.abs(striped.astype(int) - whole).mean() < 0.5


def test_large_pictures_go_in_stripes(stylizer, photograph, monkeypatch):
    from yoto_tf.zoo.stylization import stylizer as module

    seen = []

    def striped(network, image, style, coefficients):
        seen.append(image.shape)
        return image

    monkeypatch.setattr(module, "stylize_in_stripes", striped)
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", 32 * 32)
    stylizer.stylize(photograph[:32, :32], "dots")
    stylizer.stylize(photograph[:32, :33], "dots")
    assert seen == [(32, 33, 3)]


def test_mixed_precision(stylizer, photograph):
    network = stylizer.release.network("mixed_bfloat16")
    image, style = photograph[:64, :64], np.array([0, 1, 0], "float32")
    vector = stylizer.coefficients.vector()
    striped = stylize_in_stripes(network, image, style, vector, 2000)
    inputs = {
        "image": image[None] / np.float32(255),
        "style": style[None],
        "coefficients": vector[None],
    }
    whole = np.array(network(inputs))[0] * 255
    assert np.abs(striped - whole).mean() < 4
