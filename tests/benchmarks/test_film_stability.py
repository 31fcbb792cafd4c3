import numpy as np
import pytest
from film_stability import NOISE, STEP, change, pan, still


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_a_pan_that_is_shifted_back_does_not_change(rng):
    image = rng.integers(0, 256, (120, 140, 3)).astype("uint8")
    frames = pan(image, 80)
    assert frames.shape == (5, 80, 80, 3)
    assert change(frames, STEP) == 0
    assert change(frames) > 50


def test_a_still_scene_changes_by_its_noise(rng):
    frames = still(np.full((90, 80, 3), 128, "uint8"), 80, rng)
    # Of the difference of two normal values.
    assert change(frames) == pytest.approx(NOISE * 2 / np.pi**0.5, rel=0.05)
