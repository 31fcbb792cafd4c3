import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.zoo.pixels import as_picture


def test_a_picture_stays_as_it_is():
    image = np.zeros((2, 3, 3), "uint8")
    assert as_picture(image) is image


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((2, 3, 3), "float32"),
        np.zeros((2, 3, 4), "uint8"),
        np.zeros((2, 3), "uint8"),
        np.zeros((1, 2, 3, 3), "uint8"),
        None,
    ],
)
def test_anything_else_is_named(image):
    with pytest.raises(DataError, match=r"expected a uint8 image \[height, width, 3\]"):
        as_picture(image)
