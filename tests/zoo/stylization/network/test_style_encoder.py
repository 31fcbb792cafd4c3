import keras
import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization.network.style_encoder import StyleEncoder


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    encoder = StyleEncoder(20)
    encoder.build(None)
    encoder.style.kernel.assign(400 * encoder.style.kernel)
    return encoder


def test_paintings_of_any_size_are_told_apart(encoder, rng):
    for shape in ((2, 16, 40, 3), (2, 33, 20, 3)):
        painting = rng.random(shape, "float32")
        painting[1] *= 0.3
        first, second = np.asarray(encoder(painting))
        assert first.shape == (20,)
        assert np.abs(first - second).max() > 0.1


def test_where_things_are_does_not_count(encoder, rng):
    painting = np.zeros((1, 128, 128, 3), "float32")
    painting[:, 48:64, 48:64] = rng.random((1, 16, 16, 3), "float32")
    moved = np.roll(painting, (16, 16), axis=(1, 2))
    np.testing.assert_allclose(encoder(moved), encoder(painting), rtol=1e-3, atol=1e-3)


def test_one_colour_has_a_style_too(encoder):
    painting = np.full((1, 32, 32, 3), 0.5, "float32")
    assert np.isfinite(np.asarray(encoder(painting))).all()


def test_a_network_takes_a_vector_in_place_of_weights(sighted, rng):
    network = sighted.model
    batch = {
        "image": rng.random((2, 24, 20, 3), "float32"),
        "coefficients": np.full((2, 5), 0.1, "float32"),
    }
    rows = [np.concatenate(network.table.of(name)) for name in network.styles]
    by_vector = network({**batch, "style": np.stack(rows[1:])})
    by_name = network({**batch, "style": np.float32([[0, 1, 0], [0, 0, 1]])})
    np.testing.assert_array_equal(by_vector, by_name)


def test_a_vector_of_anything_gives_a_picture(sighted, rng):
    vector = np.full((1, sighted.model.table.vector_size), np.nan, "float32")
    vector[:, ::3], vector[:, 1::3] = np.inf, -np.inf
    batch = {
        "image": rng.random((1, 24, 20, 3), "float32"),
        "coefficients": np.full((1, 5), 0.1, "float32"),
        "style": vector,
    }
    picture = np.asarray(sighted.model(batch))
    assert np.isfinite(picture).all()


def test_as_many_styles_as_a_vector_has_numbers():
    from yoto_tf.zoo.stylization.network.style_table import StyleTable

    with pytest.raises(ValueError, match="5 styles could not be told from"):
        StyleTable("abcde", 2, 3)


def test_a_network_without_an_encoder(network, rng):
    with pytest.raises(DataError, match="this stylizer has no style encoder"):
        network.predict_style(rng.random((1, 32, 32, 3), "float32"))
