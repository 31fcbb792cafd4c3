import keras
import numpy as np
import pytest

from yoto_tf.machine.compilation import compiled
from yoto_tf.zoo.codec.network.padding import pad_to_multiple


@pytest.mark.parametrize(
    ("height", "width", "padded"),
    [(1, 1, (8, 8)), (8, 16, (8, 16)), (9, 7, (16, 8)), (5, 17, (8, 24))],
)
@pytest.mark.parametrize("dynamic", [False, True])
def test_edges_are_repeated(height, width, padded, dynamic):
    image = np.random.default_rng(0).random((2, height, width, 3), "float32")
    expected = np.pad(
        image,
        ((0, 0), (0, padded[0] - height), (0, padded[1] - width), (0, 0)),
        mode="edge",
    )
    pad = lambda image: pad_to_multiple(image, 8)  # noqa: E731
    if dynamic:
        pad = compiled(pad)
        # A second shape makes the sizes unknown to the graph.
        pad(np.zeros((2, height + 1, width + 1, 3), "float32"))
    result = keras.ops.convert_to_numpy(pad(image))
    np.testing.assert_array_equal(result, expected)


def test_what_fits_is_returned_as_it_is():
    image = keras.ops.zeros((1, 16, 8, 3))
    assert pad_to_multiple(image, 8) is image
