import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from yoto_tf.cli import main
from yoto_tf.errors import RecipeError
from yoto_tf.training.agreement import Agreement, from_first
from yoto_tf.training.placement import place
from yoto_tf.training.reports import read_log
from yoto_tf.zoo.recipes import load_recipe

FILE = Path(__file__).parents[1] / "least_squares_recipe.py"
RECIPE = load_recipe(FILE)


def test_one_device_is_the_usual_one():
    placement = place(RECIPE)
    assert (placement.replicas, placement.processes, placement.spread) == (1, 1, False)
    assert placement.first


@pytest.mark.parametrize("devices", [2, "all"])
def test_several_devices_are_those_of_jax_or_of_a_strategy(devices):
    message = f"--devices {devices} needs KERAS_BACKEND=jax, or --strategy mirrored"
    with pytest.raises(RecipeError, match=message):
        place(RECIPE, devices)


def test_a_batch_is_divided_evenly():
    placement = dataclasses.replace(place(RECIPE), replicas=3)
    with pytest.raises(RecipeError, match=r"multiple of the 3 devices.* got 16"):
        placement.check(16)


def test_a_strategy_that_is_none():
    with pytest.raises(RecipeError, match="'mirrored', got 'tpu'"):
        place(RECIPE, None, "tpu")


def test_one_process_agrees_with_itself():
    agreement = Agreement()
    assert agreement.is_due(1)
    assert agreement.reach(1, 2.5, True, False) == (2.5, True, False)
    arrays = {"x": 1}
    assert from_first(arrays) is arrays


def test_mirrored_devices_train_resume_and_release(tmp_path):
    """In a process of its own, whose processor can still be divided."""
    for options in (["--steps", "4"], ["--steps", "8", "--resume"]):
        subprocess.run(
            [
                *(sys.executable, "-m", "yoto_tf.cli", "train", FILE),
                *("--strategy", "mirrored", "--devices", "2", "--workdir", tmp_path),
                *options,
            ],
            check=True,
        )
    steps = [record["step"] for record in read_log(tmp_path / "log.jsonl")]
    assert steps == [4, 8]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--processes", "2"],
            "--processes and --process need --coordinator HOST:PORT",
        ),
        (["--coordinator", "a:1"], "needs --processes and --process, too"),
        (
            ["--coordinator", "a", "--processes", "2", "--process", "0"],
            "--coordinator must be HOST:PORT or auto, got a",
        ),
        (
            ["--coordinator", "a:65535", "--processes", "2", "--process", "0"],
            "the port of --coordinator must be from 1 to 65534, got a:65535",
        ),
        (
            ["--coordinator", "a:1", "--processes", "2", "--process", "2"],
            "--process must be from 0 to 1, got 2",
        ),
        (["--coordinator", "auto"], "many processes train on JAX only"),
        (["--devices", "0"], "expected a whole number above 0, got 0"),
    ],
)
def test_options_that_do_not_fit_are_one_line(options, message, capsys):
    try:
        status = main(["train", str(FILE), *options])
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
