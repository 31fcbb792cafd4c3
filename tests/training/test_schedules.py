import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from yoto_tf.training.schedules import WarmupStableDecay

PRINT_RATES = """
import json, yoto_tf.training.schedules
schedule = yoto_tf.training.schedules.WarmupStableDecay(0.5, 1000, 100, 0.2)
print(json.dumps([float(schedule(step)) for step in range(0, 1001, 50)]))
"""


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def test_corners():
    schedule = WarmupStableDecay(0.5, 1000, warmup_steps=100, decay_fraction=0.2)
    steps = [0, 49, 99, 100, 500, 800, 900, 1000, 5000]
    expected = [0.005, 0.25, 0.5, 0.5, 0.5, 0.5, 0.25, 0, 0]
    np.testing.assert_allclose(rates(schedule, steps), expected, atol=1e-6)


def test_last_step_of_the_training_still_moves():
    schedule = WarmupStableDecay(1.0, 1_000_000, 1000, 0.2)
    assert 0 < float(schedule(999_999)) < 1e-6


def test_constant_without_warmup_and_decay():
    schedule = WarmupStableDecay(0.5, 10)
    np.testing.assert_allclose(rates(schedule, range(10)), 0.5)


def test_overlapping_warmup_and_decay_take_the_smaller():
    schedule = WarmupStableDecay(1.0, 10, warmup_steps=1000, decay_fraction=0.2)
    values = rates(schedule, range(11))
    np.testing.assert_allclose(values[:8], np.arange(1, 9) / 1000, rtol=1e-5)
    assert values[10] == 0


def test_never_above_the_peak_and_falling_once_it_falls():
    values = np.array(rates(WarmupStableDecay(2e-4, 300, 30, 0.5), range(301)))
    assert values.max() <= np.float32(2e-4)
    assert (np.diff(values[:30]) > 0).all()
    assert (np.diff(values[151:]) < 0).all()


def test_serialises_with_the_optimizer():
    schedule = WarmupStableDecay(0.5, 1000, 100, 0.2)
    optimizer = keras.optimizers.Adam(schedule)
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(json.loads(json.dumps(config)))
    steps = range(0, 1001, 100)
    learned = again._learning_rate
    assert rates(learned, steps) == rates(schedule, steps)


def test_same_rates_on_jax():
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", PRINT_RATES],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    here = rates(WarmupStableDecay(0.5, 1000, 100, 0.2), range(0, 1001, 50))
    np.testing.assert_allclose(json.loads(done.stdout), here, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"peak": 0.0, "steps": 10}, "peak"),
        ({"peak": 1.0, "steps": 0}, "steps"),
        ({"peak": 1.0, "steps": 10, "warmup_steps": -1}, "warmup_steps"),
        ({"peak": 1.0, "steps": 10, "decay_fraction": 1.5}, "decay_fraction"),
    ],
)
def test_bad_settings_are_named(settings, name):
    with pytest.raises(ValueError, match=name):
        WarmupStableDecay(**settings)
