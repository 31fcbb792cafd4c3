import numpy as np
import pytest
from stroke_size import away, edges_of, mean, measured, slope

from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization import stroke


class Threshold:
    """A stylizer that makes black and white of a picture, whatever its stroke."""

    def stylize(self, image, style, stroke="auto"):
        return np.where(image > 128, 255, 0).astype("uint8")


def test_slope_of_a_ramp():
    ramp = np.zeros((5, 7, 3), "uint8") + np.uint8(3 * np.arange(7))[:, None]
    np.testing.assert_allclose(slope(ramp), 3, rtol=1e-5)
    step = np.zeros((50, 100, 3), "uint8")
    step[:, 50:] = 255
    assert edges_of(step).nonzero()[1].tolist() == [49, 50] * 50
    assert away(step, 255 - step) == 255


def test_a_sharp_picture_is_steeper_than_its_enlarged_thumbnail(
    photograph, monkeypatch
):
    image = photograph[:300, :400]
    with pytest.raises(DataError, match="more than 768 pixels, got 300"):
        measured(Threshold(), image, "any")
    monkeypatch.setattr(stroke, "LARGEST_SIDE", 100)
    found = measured(Threshold(), image, "any")
    assert found["stroke 1"]["slope"] > 1.5 * found["Lanczos"]["slope"]
    assert found["Lanczos"]["away"] < 5 < found["stroke 1"]["away"]
    assert mean([found, found]) == found
