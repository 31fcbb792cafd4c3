"""Two processes on the loopback, and what becomes of one when the other is lost."""

import signal
import time

import pytest
from trainings import (
    STEPS,
    SURVIVAL_SECONDS,
    assert_same,
    finish,
    free_port,
    last_arrays,
    pair,
    run,
    start,
)

from yoto_tf.training import checkpoint
from yoto_tf.training.reports import read_log

pytestmark = pytest.mark.processes


@pytest.fixture
def workdirs(tmp_path):
    """As of two hosts that share no disk."""
    return tmp_path / "first", tmp_path / "second"


def test_two_processes_train_what_one_does(alone, photographs, workdirs):
    with pair(workdirs, photographs, "--steps", STEPS) as processes:
        for process in processes:
            finish(process)
    assert_same(last_arrays(workdirs[0]), last_arrays(alone))
    [record], [expected] = (
        read_log(each / "log.jsonl") for each in (workdirs[0], alone)
    )
    assert record["loss"] == pytest.approx(expected["loss"], 1e-5)
    assert (workdirs[0] / "release" / "network.weights.h5").exists()
    assert not workdirs[1].exists()


def test_a_cluster_says_who_is_who(alone, photographs, workdirs):
    """As Slurm does, with two tasks on one machine."""
    job = free_port()
    processes = [
        start(
            workdirs[number],
            photographs,
            "--steps",
            STEPS,
            "--coordinator",
            "auto",
            SLURM_JOB_ID=str(job),
            SLURM_STEP_NODELIST="localhost",
            SLURM_NTASKS="2",
            SLURM_PROCID=str(number),
            SLURM_LOCALID="0",
        )
        for number in (0, 1)
    ]
    for process in processes:
        finish(process)
    assert_same(last_arrays(workdirs[0]), last_arrays(alone))


def test_sigterm_and_a_kill_then_resumed_by_one(photographs, workdirs, tmp_path):
    steps = 60
    # One of them is told to end: both do, with a checkpoint.
    told = ({}, {"TERM_AT": "20"})
    with pair(workdirs, photographs, "--steps", 10**6, environments=told) as processes:
        for process in processes:
            finish(process, status=130)
    [saved] = checkpoint.steps(workdirs[0] / "checkpoints")
    assert saved >= 20

    # One of them is killed: the other ends and says which.
    killed = ({}, {"KILL_AT": str(saved + 10)})
    options = ["--resume", "--steps", 10**6]
    with pair(workdirs, photographs, *options, environments=killed) as processes:
        assert processes[1].wait(240) == 128 + signal.SIGKILL
        said = finish(processes[0], status=75, seconds=SURVIVAL_SECONDS)
    [line] = [line for line in said.splitlines() if not line.startswith("step ")]
    assert line.startswith("yoto: process 1 on ")
    assert "was ended by SIGKILL; --resume carries on" in line

    # A single process with two devices carries on to where one would have come.
    steps = saved + 20
    options = ["--steps", steps, "--devices", 2]
    arrays = run(workdirs[0], photographs, "--resume", *options, devices=2)
    assert_same(arrays, run(tmp_path / "whole", photographs, "--steps", steps))


@pytest.mark.parametrize("lost", [0, 1])
def test_a_host_that_is_gone_ends_the_other(photographs, workdirs, lost):
    """Killed is what starts the training, as if the machine had failed."""
    with pair(workdirs, photographs, "--steps", 10**6) as processes:
        wait_for_folder(workdirs[0])
        processes[lost].kill()
        began = time.monotonic()
        said = finish(processes[1 - lost], status=75, seconds=SURVIVAL_SECONDS)
        assert time.monotonic() - began < SURVIVAL_SECONDS
    [line] = [line for line in said.splitlines() if not line.startswith("step ")]
    assert line.startswith(f"yoto: process {lost} on ")
    assert "is gone; --resume carries on" in line


@pytest.mark.parametrize("lost", [0, 1])
def test_a_host_that_is_gone_before_all_have_joined(photographs, workdirs, lost):
    """JAX alone would wait for the third one, for five minutes."""
    with pair(workdirs, photographs, of=3) as processes:
        # By now both are connected, and at the latest when they import Keras.
        time.sleep(8)
        assert all(process.poll() is None for process in processes)
        processes[lost].kill()
        said = finish(processes[1 - lost], status=75, seconds=SURVIVAL_SECONDS)
        # What it started ends, too, and with it the last to write to its output.
        processes[lost].communicate(timeout=SURVIVAL_SECONDS)
    [line] = said.splitlines()
    assert line.startswith(f"yoto: process {lost} on ")
    assert "is gone; --resume carries on" in line


def test_sigterm_for_the_command_itself_ends_both(photographs, workdirs):
    with pair(workdirs, photographs, "--steps", 10**6) as processes:
        wait_for_folder(workdirs[0])
        processes[1].send_signal(signal.SIGTERM)
        for process in processes:
            finish(process, status=130)
    assert checkpoint.steps(workdirs[0] / "checkpoints")


def wait_for_folder(workdir, seconds=240):
    """Waits until a training has begun its first steps."""
    ends = time.monotonic() + seconds
    while not (workdir / "logs").exists():
        assert time.monotonic() < ends, "the training does not begin"
        time.sleep(0.2)
    # By now it compiles, or has taken some steps.
    time.sleep(2)
