"""Trainings of the denoiser by `yoto train`, in one process or in several."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from yoto_tf.training import checkpoint

RECIPE = "denoiser_recipe.py"
# Of a training that is compared.
STEPS = 6
# What a survivor may take to end.
SURVIVAL_SECONDS = 60
_COMMAND = [sys.executable, "-m", "yoto_tf.cli", "train"]


def start(workdir, data, *options, recipe=RECIPE, devices=1, **environment):
    """A running `yoto train` on the JAX backend, with virtual devices.

    The recipe is one of the zoo, or a file beside this one.
    """
    flags = f"--xla_force_host_platform_device_count={devices}"
    if recipe.endswith(".py"):
        recipe = Path(__file__).with_name(recipe)
    places = ["--data", data, "--workdir", workdir]
    return subprocess.Popen(
        [*_COMMAND, recipe, *places, *map(str, options)],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "JAX_PLATFORMS": "cpu",
            "XLA_FLAGS": flags,
            "TF_CPP_MIN_LOG_LEVEL": "3",
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process, status=0, seconds=240):
    """What a training says on standard error, once it has ended with a status."""
    try:
        said, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == status, said + errors
    return errors


def run(workdir, data, *options, devices=1):
    """Trains to the end in one process; the arrays of its last checkpoint."""
    finish(start(workdir, data, *options, devices=devices))
    return last_arrays(workdir)


@contextlib.contextmanager
def pair(workdirs, data, *options, recipe=RECIPE, environments=({}, {}), of=2):
    """Two processes that train together, which are ended at the latest at the end.

    Of more than two, the others never come.
    """
    address = f"127.0.0.1:{free_port()}"
    together = ["--coordinator", address, "--processes", of]
    processes = [
        start(
            workdirs[number],
            data,
            *together,
            "--process",
            number,
            *options,
            recipe=recipe,
            **environments[number],
        )
        for number in (0, 1)
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def free_port():
    """A free port, with a free one after it."""
    while True:
        with (
            contextlib.suppress(OSError, OverflowError),
            socket.create_server(("127.0.0.1", 0)) as server,
        ):
            port = server.getsockname()[1]
            socket.create_server(("127.0.0.1", port + 1)).close()
            return port


def last_arrays(workdir):
    """The arrays of the newest checkpoint of a training, by key."""
    folder = Path(workdir) / "checkpoints"
    with np.load(folder / f"step-{checkpoint.steps(folder)[-1]:08d}.npz") as archive:
        return {key: archive[key] for key in archive.files if key != "manifest"}


def assert_same(arrays, expected):
    """The same variables, to 1e-5."""
    assert arrays.keys() == expected.keys()
    for key, array in arrays.items():
        np.testing.assert_allclose(array, expected[key], 1e-5, 1e-5, err_msg=key)


def copied(workdir, target):
    """A copy of the folder of a training."""
    shutil.copytree(workdir, target)
    return target
