"""What a training says while it runs: a progress line, a log, TensorBoard scalars."""

import json
import os
import sys
import time
from pathlib import Path

import keras
from tqdm import tqdm

from yoto_tf.machine.atomic_files import write_atomically

BAR_SECONDS = 0.3
LINE_SECONDS = 60.0


class ProgressLine(keras.callbacks.Callback):
    """One line on standard error: steps, speed, time left and the loss terms.

    On a terminal it is a tqdm bar; elsewhere a plain line appears once a minute. The
    terms are means since the last record of the log.

    Args:
        run: the `TrainingRun`, whose turn comes before this callback.
    """

    def __init__(self, run):
        super().__init__()
        self._run = run
        self._terminal = sys.stderr.isatty()
        self._interval = BAR_SECONDS if self._terminal else LINE_SECONDS
        self._bar = None

    def on_train_begin(self, logs=None):
        self._first_step = self._run.step
        self._started = self._shown = time.monotonic()
        if self._terminal:
            self._bar = tqdm(
                total=self._run.steps,
                initial=self._first_step,
                unit="step",
                dynamic_ncols=True,
                mininterval=0,
            )

    def on_train_batch_end(self, batch, logs=None):
        if time.monotonic() - self._shown >= self._interval:
            self._show(logs)
            self._shown = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        if self._run.stopping:
            self._show(logs)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Leaves the last state of the bar on a line of its own."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, logs):
        step, steps = self._run.step, self._run.steps
        terms = " ".join(f"{name} {float(value):.4g}" for name, value in logs.items())
        if self._bar is not None:
            self._bar.set_postfix_str(terms, refresh=False)
            self._bar.update(step - self._bar.n)
            self._bar.refresh()
            return
        seconds = time.monotonic() - self._started
        pace = seconds / max(step - self._first_step, 1)
        left = self._run.seconds_left(pace)
        total = "" if steps is None else f"/{steps}"
        print(
            f"step {step}{total}, {pace * 1e3:.0f} ms a step, "
            f"{tqdm.format_interval(left)} left: {terms}",
            file=sys.stderr,
            flush=True,
        )


class Log(keras.callbacks.Callback):
    """Appends the mean terms of every epoch to `log.jsonl` and to TensorBoard.

    A record is `{"step": …, "seconds": …, "loss": …, …}`; `val_` terms are added where
    a validation set was evaluated.

    Args:
        run: the `TrainingRun`, whose turn comes before this callback.
        workdir: folder of `log.jsonl` and of `logs/`, TensorBoard's folder; None to
            evaluate with the other processes and write nothing.
        validation: what Keras `evaluate` takes, or None.
        validation_epochs: epochs from one evaluation to the next; there is one at the
            end of the training too.
    """

    def __init__(self, run, workdir, validation=None, validation_epochs=25):
        super().__init__()
        self._run = run
        self._path = self._writer = None
        self._validation = validation
        self._validation_epochs = validation_epochs
        if workdir is not None:
            self._path = Path(workdir) / "log.jsonl"
            self._writer = _tensorboard_writer(Path(workdir) / "logs")
        self._epochs = 0

    def on_train_begin(self, logs=None):
        """Forgets what a killed process logged after its last checkpoint."""
        self._step = self._run.step
        if self._path is not None and self._path.exists():
            records = [
                record
                for record in read_log(self._path)
                if record["step"] <= self._step
            ]
            write_atomically(self._path, "".join(map(_line, records)).encode())

    def on_epoch_end(self, epoch, logs=None):
        if self._run.step == self._step:
            return
        self._step = self._run.step
        self._epochs += 1
        terms = {name: float(value) for name, value in (logs or {}).items()}
        due = self._epochs % self._validation_epochs == 0 or self._run.finished
        if self._validation is not None and due:
            evaluated = self.model.evaluate(
                self._validation, verbose=0, return_dict=True
            )
            terms |= {f"val_{name}": float(value) for name, value in evaluated.items()}
        if self._path is None:
            return
        seconds = round(self._run.seconds, 1)
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(_line({"step": self._step, "seconds": seconds, **terms}))
        if self._writer is not None:
            for name, value in terms.items():
                self._writer.add_scalar(name, value, self._step)
            self._writer.flush()

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Closes TensorBoard's file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def read_log(path: str | os.PathLike) -> list[dict]:
    """The records of a `log.jsonl`, without a last line that was cut short."""
    records = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def _line(record):
    return json.dumps(record) + "\n"


def _tensorboard_writer(folder):
    try:
        from tensorboard.summary import Writer
    except ImportError:
        print("tensorboard is not installed: no TensorBoard logs", file=sys.stderr)
        return None
    return Writer(str(folder))
