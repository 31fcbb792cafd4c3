import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from yoto_tf.data import Patches, write_image
from yoto_tf.data.resident_patches import ResidentPatches

# A training that cuts on the device, and one that does not, on JAX.
TRAIN = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import denoiser_recipe
from yoto_tf.training import engine, on_device
weights, logs = [], []
for number, has_accelerator in enumerate((False, True)):
    on_device._has_accelerator = lambda: has_accelerator
    folder = f"{sys.argv[3]}/{number}"
    # A call of one step, and then calls of ten.
    for steps in (11, 31):
        trained = engine.train(
            denoiser_recipe.recipe(), sys.argv[2], folder, steps=steps, resume=True
        )
    weights.append([np.asarray(v) for v in trained.model.trainable_variables])
    logs.append(engine.reports.read_log(f"{folder}/log.jsonl"))
assert trained.model.steps_per_execution == 10
for first, second in zip(*weights, strict=True):
    np.testing.assert_allclose(first, second, 1e-5, 1e-6)
for first, second in zip(*logs, strict=True):
    assert (first["step"], first.keys()) == (second["step"], second.keys())
    for name in ("loss", "error", "smoothness"):
        np.testing.assert_allclose(first[name], second[name], 1e-5)
"""


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    for number in range(3):
        shape = (40 + 7 * number, 70 - 9 * number, 3)
        write_image(tmp_path / f"{number}.png", random.integers(0, 256, shape, "uint8"))
    return tmp_path


def test_patches_cut_on_the_device_are_those_of_the_processor(folder):
    patches = Patches(folder, size=16, batch_size=6, first_batch=3)
    resident = patches.resident()
    first = resident[0]
    for index in range(5):
        batch = resident[index]
        assert batch["photographs"] is first["photographs"]
        cut = np.asarray(resident.cut(batch)["image"])
        np.testing.assert_array_equal(cut, patches[index]["image"])


def test_a_set_that_memory_does_not_hold_stays_with_the_processor(folder):
    patches = Patches(folder, size=16, memory_bytes=10_000)
    assert not ResidentPatches.fits(patches)
    assert patches.resident() is None


def test_a_step_that_cuts_trains_the_same(folder, tmp_path_factory):
    recipes = Path(__file__).parents[1] / "many_devices"
    workdir = tmp_path_factory.mktemp("runs")
    subprocess.run(
        [sys.executable, "-c", TRAIN, recipes, folder, workdir],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        check=True,
    )
