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
    lines = np.where(np.arange(512) % 4 == 0, 3.0, 0.0)
    threads = np.expand_dims(lines, (1 - axis, 2))
    assert weave(noise + threads) > 5
    every_fifth = np.where(np.arange(512) % 5 == 0, 3.0, 0.0)
    assert weave(noise + np.expand_dims(every_fifth, (1 - axis, 2))) < 1.15


def test_a_photograph_that_is_too_small():
    with pytest.raises(DataError, match="at least 512x512 pixels, got 600x400"):
        corner(np.zeros((400, 600, 3), "uint8"))
