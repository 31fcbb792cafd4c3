import keras
import numpy as np
import pytest

from yoto_tf.zoo.stylization.network.palette import SIZE, Palette

EMBEDDING = 5


@pytest.fixture
def palette():
    keras.utils.set_random_seed(0)
    layer = Palette()
    layer.build((None, None, None, 3), (None, EMBEDDING + SIZE))
    return layer


@pytest.fixture
def colors(rng):
    return rng.normal(size=(2, 4, 6, 3)).astype("float32")


def test_it_starts_as_the_identity(palette, colors, rng):
    modulation = rng.normal(size=(2, EMBEDDING + SIZE)).astype("float32")
    modulation[:, -SIZE:] = 0
    np.testing.assert_array_equal(palette(colors, modulation), colors)


def test_each_example_has_its_own_matrix_and_offset(palette, colors, rng):
    modulation = rng.normal(size=(2, EMBEDDING + SIZE)).astype("float32")
    kernel = rng.normal(size=(EMBEDDING, SIZE)).astype("float32")
    bias = rng.normal(size=SIZE).astype("float32")
    palette.affine.kernel.assign(kernel)
    palette.affine.bias.assign(bias)
    changed = np.array(palette(colors, modulation))
    affine = modulation[:, :EMBEDDING] @ kernel + bias + modulation[:, EMBEDDING:]
    for row, (matrix, color) in enumerate(zip(affine, colors, strict=True)):
        matrix = matrix.reshape(4, 3)
        expected = color + color @ matrix[:3] + matrix[3]
        np.testing.assert_allclose(changed[row], expected, rtol=1e-4, atol=1e-4)
