"""The front of a model while it is trained."""

import struct
import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from yoto_tf.errors import YotoError
from yoto_tf.objectives.validation import key
from yoto_tf.tradeoff.fronts import hypervolume as volume_of
from yoto_tf.tradeoff.sweeps import check_model, sweep


class SweepCallback(keras.callbacks.Callback):
    """Sweeps over a grid at the end of epochs and logs the front to TensorBoard.

    TensorBoard shows each term at each vector (`front/seg_at_depth_0p1`), the
    hypervolume, and the front of the first two terms as a picture. The hypervolume is
    put into the epoch's logs as `hypervolume`, for other callbacks to watch: this one
    must come before them.

    Args:
        data: validation data as for `sweep`, gone through at every epoch.
        grid: array-like [N, K] of raw coefficients.
        hypervolume: the reference point: a value for each term in the order of
            `Sweep.points()`, or {name of a term: value} for some; None for no volume.
        log_dir: TensorBoard's folder.
        every: epochs from one sweep to the next, ≥ 1.
        metrics: see `sweep`.

    Attributes:
        front: the last `Sweep`.

    Raises:
        CoefficientError: when training begins, vectors out of range.
        YotoError: tensorboard is not installed.
    """

    def __init__(
        self,
        data: Iterable | dict | tuple,
        grid,
        hypervolume=None,
        log_dir: str = "logs",
        every: int = 1,
        metrics=None,
    ):
        super().__init__()
        if every < 1:
            raise ValueError(f"every must be ≥ 1, got every={every}")
        self.data, self.grid, self.reference = data, grid, hypervolume
        self.log_dir, self.every, self.metrics = log_dir, every, metrics
        self.front = None

    def on_train_begin(self, logs=None):
        check_model(self.model, "SweepCallback")
        self.grid = np.atleast_2d(self.model.coefficients.validate(self.grid))
        try:
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise YotoError("SweepCallback needs tensorboard: install it") from error
        self._writer = EventFileWriter(str(self.log_dir))

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        self.front = sweep(self.model, self.data, self.grid, self.metrics)
        scalars = {
            f"front/{name}_at_{key(self.model.coefficients, vector)}": value
            for vector, *points in zip(
                self.grid, self.front.terms, self.front.metrics, strict=True
            )
            for point in points
            for name, value in point.items()
        }
        if self.reference is not None:
            names, reference = (), self.reference
            if isinstance(reference, dict):
                names, reference = reference.keys(), list(reference.values())
            found = volume_of(self.front.points(*names), reference)
            scalars["front/hypervolume"] = found
            if logs is not None:
                logs["hypervolume"] = found
        self._write(epoch, scalars)

    def on_train_end(self, logs=None):
        self._writer.close()

    def _write(self, step, scalars):
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [
            Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()
        ]
        names = list(self.front.terms[0])[:2]
        if len(names) == 2:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "front.png"
                self.front.plot(path, *names)
                png = path.read_bytes()
            width, height = struct.unpack(">II", png[16:24])
            image = Summary.Image(width=width, height=height, colorspace=4)
            image.encoded_image_string = png
            values.append(Summary.Value(tag="front", image=image))
        event = Event(step=step, summary=Summary(value=values))
        self._writer.add_event(event)
        self._writer.flush()
