import gc
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest

from yoto_tf.errors import DataError, RecipeError
from yoto_tf.machine.folder_lock import folder_lock
from yoto_tf.training import checkpoint
from yoto_tf.training.engine import train
from yoto_tf.training.recipe import override
from yoto_tf.training.reports import read_log
from yoto_tf.zoo.recipes import load_recipe

FILE = Path(__file__).parents[1] / "least_squares_recipe.py"
RECIPE = load_recipe(FILE)

# Trains in each folder given; TensorFlow cannot be imported where the backend is JAX.
TRAIN = f"""
import json, os, sys
if os.environ["KERAS_BACKEND"] == "jax":
    sys.modules["tensorflow"] = None
from yoto_tf.training.engine import train
from yoto_tf.zoo.recipes import load_recipe
for workdir in sys.argv[1:]:
    trained = train(
        load_recipe({str(FILE)!r}), None, workdir, resume=True, checkpoint_seconds=0.01
    )
    print(json.dumps([trained.step, trained.finished]))
"""


def run(backend, *workdirs, **environment):
    return subprocess.run(
        [sys.executable, "-c", TRAIN, *map(str, workdirs)],
        env={**os.environ, "KERAS_BACKEND": backend, **environment},
        capture_output=True,
        text=True,
    )


def last_arrays(workdir):
    step = checkpoint.steps(workdir / "checkpoints")[-1]
    with np.load(workdir / "checkpoints" / f"step-{step:08d}.npz") as archive:
        return {key: archive[key] for key in archive.files if key != "manifest"}


def assert_same_training(workdir, expected):
    arrays, expected = last_arrays(workdir), last_arrays(expected)
    assert arrays.keys() == expected.keys()
    for key, array in arrays.items():
        np.testing.assert_allclose(array, expected[key], 1e-4, 1e-6, err_msg=key)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("uninterrupted")
    train(RECIPE, None, workdir)
    return workdir


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A folder whose TensorFlow process was killed as it asked for batch 450."""
    workdir = tmp_path_factory.mktemp("killed")
    done = run("tensorflow", workdir, KILL_AT="450")
    assert done.returncode == -signal.SIGKILL, done.stderr
    return workdir


def test_training_learns_and_leaves_its_records(uninterrupted):
    records = read_log(uninterrupted / "log.jsonl")
    assert [record["step"] for record in records] == [200, 400, 600]
    assert records[-1]["loss"] < 0.5 * records[0]["loss"]
    assert checkpoint.steps(uninterrupted / "checkpoints") == [600]
    assert json.loads((uninterrupted / "recipe.json").read_text())["units"] == 8
    assert any("tfevents" in name for name in os.listdir(uninterrupted / "logs"))


def test_killed_training_resumes_to_the_same_end(killed, uninterrupted, tmp_path):
    workdir = tmp_path / "resumed"
    shutil.copytree(killed, workdir)
    step = checkpoint.steps(workdir / "checkpoints")[-1]
    assert 0 < step <= 450
    trained = train(RECIPE, None, workdir, resume=True)
    assert (trained.step, trained.finished) == (600, True)
    assert int(trained.model.optimizer.iterations) == 600
    assert_same_training(workdir, uninterrupted)
    steps = [record["step"] for record in read_log(workdir / "log.jsonl")]
    assert steps == sorted(set(steps))
    assert steps[-1] == 600


def test_jax_alone_resumes_its_own_and_tensorflows_training(
    killed, tmp_path, tmp_path_factory
):
    ours, theirs = tmp_path / "jax", tmp_path / "tensorflow"
    shutil.copytree(killed, theirs)
    done = run("jax", ours, KILL_AT="450")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert 0 < checkpoint.steps(ours / "checkpoints")[-1] <= 450

    done = run("jax", ours, theirs)
    assert done.stdout.splitlines() == ["[600, true]"] * 2, done.stderr
    for workdir in (ours, theirs):
        records = read_log(workdir / "log.jsonl")
        before, end = records[0], records[-1]
        assert end["step"] == 600
        assert end["loss"] < 0.5 * before["loss"]
        assert end["seconds"] > before["seconds"]
    iterations = [
        array for key, array in last_arrays(theirs).items() if "iteration" in key
    ]
    assert iterations == [600]


def test_several_steps_an_execution_train_the_same(uninterrupted, tmp_path):
    recipe = override(RECIPE, ["steps_per_execution=50", "jit_compile=false"])
    trained = train(recipe, None, tmp_path / "run")
    assert (trained.step, trained.finished) == (600, True)
    assert_same_training(tmp_path / "run", uninterrupted)
    steps = [record["step"] for record in read_log(tmp_path / "run" / "log.jsonl")]
    assert steps == [200, 400, 600]


def test_an_execution_does_not_pass_the_last_step(tmp_path):
    recipe = override(RECIPE, ["steps_per_execution=50"])
    trained = train(recipe, None, tmp_path, steps=210)
    assert (trained.step, int(trained.model.optimizer.iterations)) == (210, 210)


def test_log_forgets_what_came_after_the_checkpoint(uninterrupted, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(uninterrupted, workdir)
    with open(workdir / "log.jsonl", "a") as file:
        file.write('{"step": 700, "loss": 1.0}\n{"step": 8')
    train(RECIPE, None, workdir, resume=True, steps=650)
    steps = [record["step"] for record in read_log(workdir / "log.jsonl")]
    assert steps == [200, 400, 600, 650]


def test_seconds_add_up_over_resumes(tmp_path):
    first = train(RECIPE, None, tmp_path, steps=200)
    started = time.monotonic()
    second = train(RECIPE, None, tmp_path, steps=210, resume=True)
    assert first.seconds < second.seconds
    assert second.seconds <= first.seconds + time.monotonic() - started


def test_finished_training_is_not_trained_on(uninterrupted):
    before = last_arrays(uninterrupted)
    trained = train(RECIPE, None, uninterrupted, resume=True)
    assert (trained.step, trained.finished) == (600, True)
    for key, array in last_arrays(uninterrupted).items():
        np.testing.assert_array_equal(array, before[key])


def test_resume_without_checkpoint_starts(tmp_path, capsys):
    assert train(RECIPE, None, tmp_path, steps=3, resume=True).step == 3
    assert "no checkpoint: starting at step 0" in capsys.readouterr().err


def test_training_is_never_overwritten(uninterrupted):
    with pytest.raises(RecipeError, match="holds a training at step 600"):
        train(RECIPE, None, uninterrupted)


def test_resume_of_another_recipe_names_the_field(uninterrupted):
    with pytest.raises(RecipeError, match="was started with units=8, got units=9"):
        train(override(RECIPE, ["units=9"]), None, uninterrupted, resume=True)


def test_damaged_checkpoint_falls_back(uninterrupted, tmp_path):
    workdir = tmp_path / "run"
    shutil.copytree(uninterrupted, workdir)
    train(RECIPE, None, workdir, resume=True, steps=601)
    newest = workdir / "checkpoints" / "step-00000601.npz"
    newest.write_bytes(newest.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="damaged"):
        trained = train(RECIPE, None, workdir, resume=True, steps=602)
    assert trained.step == 602
    assert int(trained.model.optimizer.iterations) == 602


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_saves_and_returns(tmp_path, number):
    def batches():
        for index in range(1_000_000):
            if index == 100:
                os.kill(os.getpid(), number)
            yield {"x": np.ones((2, 4), "float32")}

    before = signal.getsignal(number)
    trained = train(RECIPE, batches(), tmp_path, steps=1_000_000)
    assert not trained.finished
    assert checkpoint.steps(tmp_path / "checkpoints") == [trained.step]
    assert read_log(tmp_path / "log.jsonl")[-1]["step"] == trained.step
    assert signal.getsignal(number) is before


def test_trains_outside_the_main_thread(tmp_path):
    results = []
    thread = threading.Thread(
        target=lambda: results.append(train(RECIPE, None, tmp_path, steps=2).step)
    )
    thread.start()
    thread.join()
    assert results == [2]


def test_loss_that_is_not_finite_stops_without_a_checkpoint(tmp_path):
    def batches():
        for index in range(1000):
            value = np.nan if index == 250 else 1.0
            yield {"x": np.full((2, 4), value, "float32")}

    message = "the loss is nan at step 400, the last checkpoint is of step 0"
    with pytest.raises(RecipeError, match=message):
        train(RECIPE, batches(), tmp_path, steps=1000)
    assert checkpoint.steps(tmp_path / "checkpoints") == []


def test_short_data_is_repeated(tmp_path):
    batches = [{"x": np.ones((2, 4), "float32")}] * 3
    assert train(RECIPE, batches, tmp_path, steps=10).step == 10


def test_short_tf_data_is_repeated(tmp_path):
    import tensorflow as tf

    batches = tf.data.Dataset.from_tensors({"x": np.ones((2, 4), "float32")})
    assert train(RECIPE, batches, tmp_path, steps=10).step == 10


def test_data_is_let_go(tmp_path):
    class Batches(list):
        pass

    data = Batches([{"x": np.ones((4, 4), "float32")}])
    alive = weakref.ref(data)
    train(RECIPE, data, tmp_path, steps=3)
    del data
    gc.collect()
    assert alive() is None


def test_no_data_is_an_error(tmp_path):
    with pytest.raises(RecipeError, match="the data has no batch"):
        train(RECIPE, [], tmp_path, steps=10)


@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_data_that_ends_is_an_error_after_a_checkpoint(tmp_path, steps_per_execution):
    recipe = override(RECIPE, [f"steps_per_execution={steps_per_execution}"])
    batches = iter([{"x": np.ones((2, 4), "float32")}] * 7)
    with pytest.raises(RecipeError, match="the data ended after step 7, expected 10"):
        train(recipe, batches, tmp_path, steps=10)
    assert checkpoint.steps(tmp_path / "checkpoints") == [7]


@pytest.mark.parametrize("good_batches", [0, 7])
def test_error_of_the_data_reaches_the_user(tmp_path, good_batches):
    def batches():
        for _ in range(good_batches):
            yield {"x": np.ones((2, 4), "float32")}
        raise DataError("rose.jpg is damaged")

    with pytest.raises(DataError, match=r"^rose.jpg is damaged$"):
        train(RECIPE, batches(), tmp_path, steps=10)


def test_validation_terms_are_logged_at_the_end(tmp_path):
    import tensorflow as tf

    validation = tf.data.Dataset.from_tensors({"x": np.zeros((2, 4), "float32")})
    trained = train(RECIPE, None, tmp_path, steps=250, validation=validation)
    expected = trained.model.evaluate(validation, verbose=0, return_dict=True)["loss"]
    first, last = read_log(tmp_path / "log.jsonl")
    assert "val_loss" not in first
    assert last["val_loss"] == pytest.approx(expected, rel=1e-5)


def test_precision_is_the_models_and_only_its(tmp_path):
    before = keras.config.dtype_policy().name
    recipe = override(RECIPE, ["precision=mixed_bfloat16"])
    trained = train(recipe, None, tmp_path, steps=2)
    assert trained.model.hidden.compute_dtype == "bfloat16"
    assert trained.model.hidden.kernel.dtype == "float32"
    assert keras.config.dtype_policy().name == before


def test_plain_progress_lines_where_there_is_no_terminal(tmp_path, capsys):
    train(RECIPE, None, tmp_path, steps=250)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("step 250/250, ")
    assert " left: loss " in lines[0]


def test_bar_on_a_terminal(tmp_path, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    train(RECIPE, None, tmp_path, steps=5)
    last = terminal.getvalue().strip().rpartition("\r")[2]
    assert "5/5" in last
    assert "loss " in last


def test_initial_weights_are_set_once(tmp_path):
    calls = []

    class Initialised(type(RECIPE)):
        def initialise(self, model, batches):
            calls.append(next(iter(batches))["x"].shape)

    recipe = Initialised(steps=3, batch_size=5, learning_rate=0.01)
    train(recipe, None, tmp_path)
    train(recipe, None, tmp_path, steps=4, resume=True)
    assert calls == [(5, 4)]


def test_minutes_end_the_training_and_the_rate(tmp_path):
    recipe = override(RECIPE, ["minutes=0.05", "warmup_steps=1", "decay_fraction=1"])
    trained = train(recipe, None, tmp_path)
    assert trained.finished
    assert 3.0 <= trained.seconds < 6.0
    assert trained.step > 0
    # The rate follows the clock down to nearly nothing.
    assert float(trained.model.optimizer.learning_rate) < 0.2 * recipe.learning_rate
    again = train(recipe, None, tmp_path, resume=True)
    assert again.step == trained.step


def test_minutes_are_those_of_all_resumes(tmp_path):
    first = train(RECIPE, None, tmp_path, minutes=0.03)
    second = train(RECIPE, None, tmp_path, minutes=0.06, resume=True)
    assert second.step > first.step
    # A busy machine may take long over its last step.
    assert 3.6 <= second.seconds < 3.6 + 30


def test_an_average_is_released_and_what_it_averages_carried_on(tmp_path):
    class Averaging(type(RECIPE)):
        def optimizer(self):
            return keras.optimizers.SGD(0.01, use_ema=True, ema_momentum=0.9)

    recipe = Averaging(**{**vars(RECIPE), "steps": 200})
    trained = train(recipe, None, tmp_path)
    arrays = last_arrays(tmp_path)
    for place, variable in enumerate(trained.model.trainable_variables):
        [average] = [
            array
            for key, array in arrays.items()
            if key.startswith("optimizer/")
            and "average" in key
            and array.shape == variable.shape
            and np.allclose(array, variable)
        ]
        [stored] = [
            array
            for key, array in arrays.items()
            if key.startswith(f"model/{place:04d}/")
        ]
        assert not np.allclose(stored, average)


def accumulating():
    return keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2)


def overflowing():
    """Its loss scale is too large for the first steps, which it leaves out."""
    return keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(1e-3), initial_scale=2.0**127
    )


@pytest.mark.parametrize("optimizer", [accumulating, overflowing])
@pytest.mark.parametrize("steps_per_execution", [1, 5])
def test_steps_are_batches_whatever_the_optimizer_counts(
    tmp_path, monkeypatch, optimizer, steps_per_execution
):
    monkeypatch.setattr(type(RECIPE), "optimizer", lambda self: optimizer())
    recipe = override(RECIPE, [f"steps_per_execution={steps_per_execution}"])
    trained = train(recipe, None, tmp_path, steps=210)
    assert (trained.step, trained.finished) == (210, True)
    assert int(trained.model.optimizer.iterations) < 210
    assert checkpoint.steps(tmp_path / "checkpoints") == [210]
    again = train(recipe, None, tmp_path, steps=220, resume=True)
    assert (again.step, again.finished) == (220, True)


def test_a_folder_in_use_is_refused(tmp_path):
    """What a batch finds: the training it is made for holds the folder."""
    refused = []

    def batches():
        if not refused:
            with pytest.raises(RecipeError, match="in use by process") as error:
                train(RECIPE, None, tmp_path, steps=2)
            refused.append(error)
        while True:
            yield {"x": np.ones((2, 4), "float32")}

    trained = train(RECIPE, batches(), tmp_path, steps=4)
    assert trained.finished
    assert len(refused) == 1
    assert not (tmp_path / ".lock").exists()


def test_a_second_process_of_a_job_does_not_wait_for_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"task": {"type": "worker", "index": 1}})
    )
    with folder_lock(tmp_path):
        assert train(RECIPE, None, tmp_path, steps=2).finished


def test_other_data_is_said(tmp_path, capsys):
    recipe = override(RECIPE, ["data=one"])
    train(recipe, None, tmp_path, steps=2)
    train(recipe, "other", tmp_path, steps=4, resume=True)
    assert "was trained on one so far, and carries on with other" in (
        capsys.readouterr().err
    )


def test_time_is_left_for_what_comes_after_the_last_step(tmp_path):
    tried = []

    def finish(model):
        tried.append(model)
        time.sleep(1.0)

    first = train(RECIPE, None, tmp_path, minutes=0.05, finish=finish)
    assert len(tried) == 1
    assert 2.0 <= first.seconds < 2.0 + 30
    again = train(RECIPE, None, tmp_path, minutes=0.05, finish=finish, resume=True)
    assert again.step == first.step
