"""How far a training is: its steps and seconds, its checkpoints, and when it stops."""

import contextlib
import math
import signal
import time

import keras

from yoto_tf.errors import RecipeError
from yoto_tf.training import checkpoint


class TrainingRun(keras.callbacks.Callback):
    """Counts steps and seconds, keeps checkpoints, and decides when to stop.

    Args:
        workdir: the `Workdir`, in whose folder `checkpoints` they are kept.
        elapsed: the `checkpoint.Elapsed` the training starts from.
        checkpoint_seconds: seconds from one checkpoint to the next.
        batches: the `EndlessBatches` trained on.
        agreement: the `Agreement` of the training's processes.
        writes: whether this process writes the checkpoints.
        steps: the step to stop at; or
        minutes: the minutes to stop after, over all resumes.
        started: when this process began, by `time.monotonic`; None for now.
        reserved: seconds of the minutes that are needed after the last step.

    Attributes:
        step: optimizer steps taken, over all resumes.
        steps: the step to stop at, or None.
        interrupted: set it to stop after the steps at hand; with several processes, in
            any of them, after the steps that come before their next agreement.
        agreed: whether the processes agreed after this step, on the time too.

    Raises:
        RecipeError: In `fit`, if the mean loss is not finite when a checkpoint is due
            or an epoch ends.
    """

    def __init__(
        self,
        workdir,
        elapsed,
        checkpoint_seconds,
        batches,
        agreement,
        writes,
        *,
        steps=None,
        minutes=None,
        started=None,
        reserved=0.0,
    ):
        super().__init__()
        self.step = self._saved_step = self._first_step = elapsed.step
        self._batches = batches
        self._agreement = agreement
        self._writes = writes
        self.steps = steps
        self._minutes = minutes
        self.interrupted = self.agreed = False
        self._all_stop = False
        self._workdir = workdir
        self._checkpoint_seconds = checkpoint_seconds
        self._seconds_before = elapsed.seconds
        self._agreed_seconds = elapsed.seconds + reserved
        self._saved = time.monotonic()
        self._started = self._saved if started is None else started
        self._reserved = reserved

    @property
    def is_shared(self):
        """Whether several processes train."""
        return self._agreement.processes > 1

    @property
    def seconds(self):
        """Wall-clock seconds trained, over all resumes."""
        return self._seconds_before + time.monotonic() - self._started

    @property
    def finished(self):
        """Whether the last step has been taken."""
        return self.left <= 0

    @property
    def left(self):
        """The share of the whole training that is left, in [0, 1]."""
        if self._minutes is None:
            return max(1 - self.step / self.steps, 0.0)
        return max(1 - self._agreed_seconds / (60 * self._minutes), 0.0)

    def seconds_left(self, pace):
        """Seconds until the end; if steps decide it, at `pace` seconds a step."""
        if self._minutes is None:
            return (self.steps - self.step) * pace
        return max(60 * self._minutes - self._reserved - self.seconds, 0.0)

    @property
    def stopping(self):
        """Whether the step at hand is the last one of this process."""
        return self.finished or self._all_stop

    def on_train_batch_end(self, batch, logs=None):
        # One call may stand for several steps, of which `batch` is the last.
        self.step = self._epoch_start + batch + 1
        is_save_due = self._agree()
        if self.stopping:
            self.model.stop_training = True
        elif is_save_due:
            self._check(logs)
            self.save()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = self.step

    def on_epoch_end(self, epoch, logs=None):
        # If the data has ended, the last call ran fewer steps than it stands for. The
        # optimizer's own count does not tell how many: it omits steps whose scaled
        # gradients overflow, and counts one for several where gradients are
        # accumulated.
        self.step = min(self.step, self._first_step + self._batches.taken)
        if self.step == self._epoch_start:
            # The data has ended: Keras would go on with empty epochs.
            self.model.stop_training = True
        else:
            self._check(logs)
            if self.stopping:
                # Before Keras replaces the weights by their moving average.
                self.save()

    def _agree(self):
        """Whether all are to write a checkpoint now."""
        self.agreed = self._agreement.is_due(self.step)
        if not self.agreed:
            return False
        is_save_due = time.monotonic() - self._saved >= self._checkpoint_seconds
        self._agreed_seconds, self._all_stop, is_save_due = self._agreement.reach(
            self.step, self.seconds + self._reserved, self.interrupted, is_save_due
        )
        return is_save_due

    def save(self):
        """Writes a checkpoint, unless this step has one. All processes call it."""
        if self.step > self._saved_step:
            folder = self._workdir.path / "checkpoints"
            checkpoint.save(folder, self.model, self.step, self.seconds, self._writes)
            if self._writes:
                self._workdir.save()
            self._saved_step = self.step
        self._saved = time.monotonic()

    def _check(self, logs):
        if not math.isfinite(float(logs["loss"])):
            raise RecipeError(
                f"the loss is {float(logs['loss'])} at step {self.step}, "
                f"the last checkpoint is of step {self._saved_step}"
            )


class RateByClock(keras.callbacks.Callback):
    """Sets the learning rate by the share of a training's minutes that is left.

    Args:
        run: the `TrainingRun`, whose turn comes before this callback.
        schedule: a `WarmupStableDecay`.
    """

    # Setting it costs as much as a small step; it changes slowly.
    _INTERVAL_SECONDS = 0.2

    def __init__(self, run, schedule):
        super().__init__()
        self._run = run
        self._schedule = schedule

    def on_train_begin(self, logs=None):
        self._set()

    def on_train_batch_end(self, batch, logs=None):
        is_due = time.monotonic() - self._set_at >= self._INTERVAL_SECONDS
        # Where several processes train, all set the same rate at the same step.
        if self._run.agreed and (is_due or self._run.is_shared):
            self._set()

    def close(self):
        """Does nothing: this callback holds no file."""

    def _set(self):
        if hasattr(self.model, "jax_state_sync"):
            # On JAX steps run on a copy of the variables. It is written back here, and
            # read anew by the next step.
            self.model.jax_state_sync()
        self.model.optimizer.learning_rate = self._schedule.rate(
            float(self._run.step), self._run.left
        )
        self._set_at = time.monotonic()


@contextlib.contextmanager
def interrupts_stop(run):
    """Turns the first Ctrl-C or SIGTERM into a stop after the step at hand."""

    def stop(number, frame):
        run.interrupted = True
        signal.signal(number, before[number])

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Only the main thread may handle signals: elsewhere there is nothing to do.
            with contextlib.suppress(ValueError):
                before[number] = signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
