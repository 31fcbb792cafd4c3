"""Trains a recipe: Keras `fit`, with checkpoints that survive a kill."""

import contextlib
import dataclasses
import json
import math
import os
import sys
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
from yoto_tf.training.endless import EndlessBatches
from yoto_tf.training.placement import place
from yoto_tf.training.precision import supported_precision
from yoto_tf.training.recipe import Recipe
from yoto_tf.training.stopping import RateByClock, TrainingRun, interrupts_stop
from yoto_tf.training.workdir import Workdir, open_workdir

EPOCH_STEPS = 200
# More epochs than a training by the clock can reach.
EPOCHS_BY_CLOCK = 10**9
# Fields in which a resumed training may differ from how it was started.
_MAY_CHANGE = ("steps", "minutes", "data", "model_devices")


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
    _check_ranges(recipe)
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
    workdir, recipe, data, resume, initialise, validation, checkpoint_seconds, placement
):
    folder = workdir.path / "checkpoints"
    fields = json.loads(json.dumps(dataclasses.asdict(recipe), default=_plain))
    found = _checked_steps(workdir, fields, resume) if placement.first else []

    from_spec = data is None or isinstance(data, str)
    [first_batch] = from_first({"step": np.array([found[-1] if found else 0])})["step"]
    part = (placement.process, placement.processes)
    with _dtype_policy(supported_precision(recipe.precision)):
        keras.utils.set_random_seed(recipe.seed)
        if from_spec:
            data = recipe.batches(recipe.data, int(first_batch))
        batches = EndlessBatches(data, part)
        inputs = batches.first()
        model = _compiled(recipe, inputs)
        elapsed = checkpoint.Elapsed(0, 0.0)
        if found:
            elapsed = checkpoint.restore(folder, model)
        elif placement.first:
            (initialise or recipe.initialise)(model, data)
        if placement.spread:
            model, elapsed = _spread(placement, model, elapsed, recipe, inputs)
        if from_spec and elapsed.step != first_batch:
            batches = EndlessBatches(recipe.batches(recipe.data, elapsed.step), part)
        # A training that cannot start leaves nothing behind.
        if placement.first:
            content = json.dumps(fields, indent=2) + "\n"
            write_atomically(workdir.path / "recipe.json", content.encode())
        end = (
            {"steps": recipe.steps}
            if recipe.minutes is None
            else {"minutes": recipe.minutes}
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
            with placement.scope():
                _fit(model, batches, run, others, recipe.steps_per_execution)
        if placement.first:
            workdir.save(required=True)
        if placement.spread:
            model = _gathered(model, recipe, inputs)
    return TrainingResult(model, run.step, run.seconds, run.finished, placement.first)


def _checked_steps(workdir, fields, resume):
    """The steps of the checkpoints to carry on from."""
    found = checkpoint.steps(workdir.path / "checkpoints")
    if found and not resume:
        raise RecipeError(
            f"{workdir} holds a training at step {found[-1]}: resume it, or choose "
            "another folder"
        )
    if resume and not found:
        print(f"{workdir} has no checkpoint: starting at step 0", file=sys.stderr)
    if found:
        _check_unchanged(fields, workdir)
    return found


def _compiled(recipe, inputs):
    """A new model and its optimizer, built."""
    model = recipe.build()
    if not model.built:
        model(inputs)
    model.compile(optimizer=recipe.optimizer(), jit_compile=recipe.jit_compile)
    model.optimizer.build(model.trainable_variables)
    return model


def _spread(placement, model, elapsed, recipe, inputs):
    """A model as `model` of the first process is, on the devices of a placement."""
    state = {"elapsed": np.array(elapsed, "float64"), **checkpoint.to_arrays(model)}
    state = from_first(state)
    step, seconds = state.pop("elapsed")
    with placement.scope():
        # The same values in all processes, whose examples differ.
        zeros = keras.tree.map_structure(lambda array: np.zeros_like(array), inputs)
        spread = _compiled(recipe, zeros)
        checkpoint.assign(spread, state)
    return spread, checkpoint.Elapsed(int(step), float(seconds))


def _gathered(model, recipe, inputs):
    """A model as one on several devices is, on the usual device of this process."""
    state = checkpoint.to_arrays(model)
    gathered = _compiled(recipe, inputs)
    checkpoint.assign(gathered, state)
    return gathered


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
    if not run.stopping:
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


def _check_ranges(recipe):
    for name in (
        "steps",
        "batch_size",
        "learning_rate",
        "steps_per_execution",
        "model_devices",
    ):
        if not getattr(recipe, name) > 0:
            raise RecipeError(f"{name} must be above 0, got {getattr(recipe, name)}")
    for name in ("clipnorm", "minutes"):
        value = getattr(recipe, name)
        if value is not None and not value > 0:
            raise RecipeError(f"{name} must be none or above 0, got {value}")
    for name, highest in (
        ("warmup_steps", math.inf),
        ("decay_fraction", 1),
        ("seed", 2**32 - 1),
    ):
        if not 0 <= getattr(recipe, name) <= highest:
            raise RecipeError(
                f"{name} must be from 0 to {highest}, got {getattr(recipe, name)}"
            )


def _check_unchanged(fields, workdir):
    """Refuses to carry on a training with other fields than it was started with."""
    path = workdir.path / "recipe.json"
    if not path.exists():
        return
    before = json.loads(path.read_text(encoding="utf-8"))
    for name in sorted(before.keys() & fields.keys()):
        if name == "data" and before[name] != fields[name]:
            print(
                f"{workdir} was trained on {before[name] or 'other data'} so far, "
                f"and carries on with {fields[name] or 'what it is given'}",
                file=sys.stderr,
            )
        elif name not in _MAY_CHANGE and before[name] != fields[name]:
            raise RecipeError(
                f"{workdir} was started with {name}={before[name]!r}, "
                f"got {name}={fields[name]!r}"
            )


def _plain(value):
    return value.get_config() if hasattr(value, "get_config") else repr(value)
