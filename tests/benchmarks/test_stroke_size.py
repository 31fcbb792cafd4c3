import numpy as np
import pytest
from stroke_size import away, edges_of, mean, measured, slope

from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization import stroke


class Negatives:
    """A stylizer whose pictures look like their thumbnails, but with a stroke of 1."""

    def stylize(self, image, style, stroke="auto"):
        return 255 - image if stroke == 1 else image


def test_slope_of_a_ramp():
    ramp = np.zeros((5, 7, 3), "uint8") + np.uint8(3 * np.arange(7))[:, None]
    np.testing.assert_allclose(slope(ramp), 3, rtol=1e-5)
    step = np.zeros((50, 100, 3), "uint8")
    step[:, 50:] = 255
    assert edges_of(step).nonzero()[1].tolist() == [49, 50] * 50
    assert away(step, 255 - step) == 255


def test_what_is_measured(photograph, monkeypatch):
    image = photograph[:300, :400]
    with pytest.raises(DataError, match="more than 768 pixels, got 300"):
        measured(Negatives(), image, "any")
    monkeypatch.setattr(stroke, "LARGEST_SIDE", 100)
    found = measured(Negatives(), image, "any")
    assert found["stroke auto"]["away"] == 0
    assert found["Lanczos"]["away"] < 5 < found["stroke 1"]["away"]
    slopes = {way: figures["slope"] for way, figures in found.items()}
    assert slopes["stroke 1"] == pytest.approx(slopes["stroke auto"])
    assert slopes["Lanczos"] < 0.7 * slopes["stroke auto"]
    assert mean([found, found]) == found
