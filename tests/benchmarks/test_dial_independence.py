import numpy as np
import pytest
from dial_independence import only, sweep
from stylization_dials import distances

from yoto_tf import Coefficients, LogUniform


@pytest.fixture
def coefficients():
    dials = dict.fromkeys(("style_1", "style_2"), LogUniform(0.01, 1.0))
    return Coefficients(content=LogUniform(0.01, 10.0), **dials)


def test_settings(coefficients):
    first, second = only(coefficients, ["style_1", "style_2"])
    assert first == {"style_1": 1.0, "style_2": 0.01}
    assert second == {"style_1": 0.01, "style_2": 1.0}
    values = [setting["style_2"] for setting in sweep(coefficients, "style_2")]
    np.testing.assert_allclose(values, np.geomspace(0.01, 1, 5), rtol=1e-5)


def test_distances_of_all_pairs():
    features = np.zeros((3, 2, 2, 1))
    features[1], features[2, 0] = 1.0, 2.0
    # 1 everywhere; 4 in one half; and 1 in both halves.
    assert distances([features]) == [1.0, 2.0, 1.0]
    assert distances([features, features]) == [2.0, 4.0, 2.0]
