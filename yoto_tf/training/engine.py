"""Trains a recipe: Keras `fit`, with checkpoints that survive a kill."""

import contextlib
import dataclasses
import json
import math
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable

import keras
import numpy as np

from yoto_tf.errors import DataError, RecipeError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.machine.folder_lock import folder_lock
from yoto_tf.objectives.progress import ProgressCallback
from yoto_tf.training import checkpoint, reports
from yoto_tf.training.agreement import Agreement, from_first
from yoto_tf.training.beginning import check_ranges, checked_steps, plain_fields
from yoto_tf.training.copies import compiled, gathered, spread
from yoto_tf.training.endless import EndlessBatches
from yoto_tf.training.on_device import STEPS_A_CALL, cut_in_step, resident
from yoto_tf.training.placement import place
from yoto_tf.training.precision import supported_precision
from yoto_tf.training.recipe import Recipe
from yoto_tf.training.stopping import RateByClock, TrainingRun, interrupts_stop
from yoto_tf.training.workdir import Workdir, open_workdir

EPOCH_STEPS = 200
# More epochs than a training by the clock can reach.
EPOCHS_BY_CLOCK = 10**9


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What `train` returns.

    Attributes:
        model: the trained model.
        step: optimizer steps taken, over all resumes.
        seconds: wall-clock seconds trained, over all resumes.
        finished: False if an interrupt ended the training before its last step.
        first: whether this is the process that keeps the folder.
    """

    model: keras.Model
    step: int
    seconds: float
    finished: bool
    first: bool = True


def train(
    recipe: Recipe,
    data: str | Iterable | None,
    workdir: str | os.PathLike | Workdir,
    *,
    steps: int | None = None,
    minutes: float | None = None,
    resume: bool = False,
    initialise: Callable | None = None,
    validation: Iterable | None = None,
    checkpoint_seconds: float = 180.0,
    devices: int | str | None = None,
    strategy: str | None = None,
    started: float | None = None,
    finish: Callable | None = None,
) -> TrainingResult:
    """Trains a recipe in a folder, from the start or from its newest checkpoint.

    The folder receives `recipe.json`, `checkpoints/`, `log.jsonl` (the terms' means
    over every 200 steps) and `logs/` (TensorBoard). Ctrl-C and SIGTERM end the training
    after the step at hand, with a checkpoint; a second Ctrl-C ends it at once.

    Args:
        recipe: what to train and how.
        data: where the batches come from: a SPEC for `recipe.batches`, the batches
            themselves, or None for the recipe's own SPEC.
        workdir: the folder, made if need be; or one in a bucket, by a URL that fsspec
            knows such as `gs://bucket/run`, which is written with every checkpoint.
        steps: replaces `recipe.steps`, the total over all resumes.
        minutes: replaces `recipe.minutes`, likewise.
        resume: carry on from the newest checkpoint, if there is one.
        initialise: replaces `recipe.initialise`, to start from other weights.
        validation: what Keras `evaluate` takes, a finite `PyDataset` or
            `tf.data.Dataset`; evaluated every 5,000 steps and at the end.
        checkpoint_seconds: seconds from one checkpoint to the next.
        devices: how many devices of each process share a batch, or `"all"`; None for
            all where JAX has several processes, else for one.
        strategy: `"mirrored"` for TensorFlow's `MirroredStrategy`.
        started: from when the minutes count, by `time.monotonic`; None for from when
            the model is made.
        finish: function of the model that does what the caller is going to do at the
            end. Where minutes are given it is called before the first step, and as
            long as it takes is left of them.

    Where JAX has several processes, all of them call this. Each makes its part of every
    batch, the first one keeps the folder, and what one decides, such as to end after
    a SIGTERM, all do after the same step.

    Raises:
        RecipeError: If a field of the recipe is out of range; if the folder holds a
            training and `resume` is false, or the training of another recipe; if
            another training is at work in it; if the loss is no longer finite; or if
            there is no data.
    """
    if steps is not None:
        recipe = dataclasses.replace(recipe, steps=steps)
    if minutes is not None:
        recipe = dataclasses.replace(recipe, minutes=minutes)
    if isinstance(data, str):
        recipe = dataclasses.replace(recipe, data=data)
    check_ranges(recipe)
    placement = place(recipe, devices, strategy)
    with (
        open_workdir(workdir, placement.first) as opened,
        _in_use(opened.path, placement),
    ):
        return _train_in(
            opened,
            recipe,
            data,
            resume,
            initialise,
            validation,
            checkpoint_seconds,
            placement,
            started,
            finish,
        )


@contextlib.contextmanager
def _in_use(workdir, placement):
    """Locks the folder; of a training in several processes, the first one does."""
    # What TensorFlow's strategies for many processes are told.
    task = json.loads(os.environ.get("TF_CONFIG") or "{}").get("task", {})
    is_worker = task.get("index", 0) != 0 or task.get("type") == "evaluator"
    if is_worker or not placement.first:
        yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(folder_lock(workdir))
        except DataError as error:
            raise RecipeError(f"cannot train: {error}") from error
        yield


def _train_in(
    workdir,
    recipe,
    data,
    resume,
    initialise,
    validation,
    checkpoint_seconds,
    placement,
    started,
    finish,
):
    folder = workdir.path / "checkpoints"
    fields = plain_fields(recipe)
    found = checked_steps(workdir, fields, resume) if placement.first else []

    from_spec = data is None or isinstance(data, str)
    [first_batch] = from_first({"step": np.array([found[-1] if found else 0])})["step"]
    part = (placement.process, placement.processes)
    with _dtype_policy(supported_precision(recipe.precision)):
        keras.utils.set_random_seed(recipe.seed)
        if from_spec:
            data = recipe.batches(recipe.data, int(first_batch))
        held = None if placement.spread else resident(data)
        batches = EndlessBatches(held or data, part)
        inputs = batches.first()
        if held:
            inputs = held.cut(inputs)
        model = compiled(recipe, inputs)
        elapsed = checkpoint.Elapsed(0, 0.0)
        if found:
            elapsed = checkpoint.restore(folder, model)
        elif placement.first:
            (initialise or recipe.initialise)(model, data)
        reserved = 0.0
        if finish and recipe.minutes is not None and placement.first:
            began = time.monotonic()
            finish(model)
            reserved = time.monotonic() - began
        progress = from_first({"progress": np.array([*elapsed, reserved])})["progress"]
        elapsed = checkpoint.Elapsed(int(progress[0]), float(progress[1]))
        reserved = float(progress[2])
        if placement.spread:
            model = spread(placement, model, recipe, inputs)
        if from_spec and elapsed.step != first_batch:
            data = recipe.batches(recipe.data, elapsed.step)
            held = None if placement.spread else resident(data)
            batches = EndlessBatches(held or data, part)
        if held:
            cut_in_step(model, held.cut)
        # A training that cannot start leaves nothing behind.
        if placement.first:
            content = json.dumps(fields, indent=2) + "\n"
            write_atomically(workdir.path / "recipe.json", content.encode())
        end = (
            {"steps": recipe.steps}
            if recipe.minutes is None
            else {"minutes": recipe.minutes, "started": started, "reserved": reserved}
        )
        agreement = Agreement(placement.processes, EPOCH_STEPS)
        run = TrainingRun(
            workdir,
            elapsed,
            checkpoint_seconds,
            batches,
            agreement,
            placement.first,
            **end,
        )
        if run.finished:
            print(f"{workdir} is at step {run.step} already", file=sys.stderr)
            model.optimizer.finalize_variable_values(model.trainable_variables)
        else:
            others = [
                reports.Log(run, workdir.path if placement.first else None, validation)
            ]
            if placement.first:
                others.append(reports.ProgressLine(run))
            if getattr(model, "progress", None) is not None:
                others.append(ProgressCallback(lambda: 1 - run.left))
            if recipe.minutes is not None:
                others.append(RateByClock(run, recipe.schedule()))
            steps_a_call = recipe.steps_per_execution
            if held:
                steps_a_call = max(steps_a_call, STEPS_A_CALL)
            with placement.scope():
                _fit(model, batches, run, others, steps_a_call)
        if placement.first:
            workdir.save(required=True)
        if placement.spread:
            model = gathered(model, recipe, inputs)
    return TrainingResult(model, run.step, run.seconds, run.finished, placement.first)


def _fit(model, batches, run, others, steps_per_execution):
    callbacks = [run, *others]
    left = EPOCHS_BY_CLOCK * EPOCH_STEPS
    if run.steps is not None:
        left = run.steps - run.step
    model.steps_per_execution = math.gcd(steps_per_execution, left, EPOCH_STEPS)
    try:
        with interrupts_stop(run), warnings.catch_warnings():
            # The error below says so.
            warnings.filterwarnings("ignore", "Your input ran out of data")
            model.fit(
                batches.for_fit(),
                steps_per_epoch=EPOCH_STEPS,
                epochs=math.ceil(left / EPOCH_STEPS),
                callbacks=_LeaveOnDevice(callbacks, add_history=True, model=model),
                shuffle=False,
                verbose=0,
            )
    finally:
        batches.close()
        for callback in others:
            callback.close()
    run.save()
    if batches.error is not None:
        raise batches.error
    if not (run.stopping or run.interrupted):
        raise RecipeError(
            f"the data ended after step {run.step}, expected {run.steps or 'more'}"
        )


class _LeaveOnDevice(keras.callbacks.CallbackList):
    """Hands the metrics of a step to the callbacks as they are.

    Keras' own list turns them into floats at every step, which waits for the
    accelerator; ours are read a few times a second.
    """

    def on_train_batch_begin(self, batch, logs=None):
        pass

    def on_train_batch_end(self, batch, logs=None):
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)


@contextlib.contextmanager
def _dtype_policy(name):
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(name)
    except (TypeError, ValueError) as error:
        raise RecipeError(
            f"precision must be auto or a Keras dtype policy, got {name!r}"
        ) from error
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
