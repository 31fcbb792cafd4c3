"""Photographs to train on, and what one device makes of them."""

import numpy as np
import pytest
from trainings import STEPS, run

from yoto_tf.data import write_image


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """A folder of six small pictures."""
    folder = tmp_path_factory.mktemp("photographs")
    random = np.random.default_rng(0)
    for number in range(6):
        picture = random.integers(0, 256, (40 + number, 50, 3), "uint8")
        write_image(folder / f"{number}.png", picture)
    return folder


@pytest.fixture(scope="session")
def alone(photographs, tmp_path_factory):
    """The folder of a training on one device, of a few steps."""
    workdir = tmp_path_factory.mktemp("alone")
    run(workdir, photographs, "--steps", STEPS)
    return workdir
