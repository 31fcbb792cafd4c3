import numpy as np
import pytest
from weave import corner, weave

from yoto_tf.errors import DataError


@pytest.fixture
def noise():
    return np.random.default_rng(0).normal(128, 20, (512, 512, 3))


def test_noise_has_none(noise):
    assert weave(noise) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("axis", [0, 1])
def test_threads_of_every_fourth_line(noise, axis):
    def threads(period):
        lines = np.where(np.arange(512) % period == 0, 12.0, 0.0)
        return np.expand_dims(lines, (1 - axis, 2))

    assert weave(noise + threads(4)) > 5
    assert weave(noise + threads(5)) < 1.15


def test_a_photograph_that_is_too_small():
    with pytest.raises(DataError, match="at least 512x512 pixels, got 600x400"):
        corner(np.zeros((400, 600, 3), "uint8"))
