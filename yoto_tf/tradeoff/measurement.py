"""What a sweep measures besides the loss terms."""

import keras
import numpy as np
from keras import ops
from keras.src.trainers.compile_utils import CompileMetrics

from yoto_tf.errors import YotoError


class Means:
    """The means over examples of a function of (inputs, outputs) to {name: [B]}.

    Raises:
        YotoError: a value that is a mean over the batch, which would count as a sum.
    """

    def __init__(self, function):
        self._function = function
        self._totals = {}
        self._count = 0

    def update(self, inputs, targets, outputs, sample_weight):
        inputs = keras.tree.map_structure(ops.convert_to_tensor, inputs)
        size = len(keras.tree.flatten(inputs)[0])
        self._count += size
        for name, values in self._function(inputs, outputs).items():
            if tuple(values.shape) != (size,):
                raise YotoError(
                    f"metric {name!r} must have one value an example, shape "
                    f"({size},), got {tuple(values.shape)}"
                )
            values = ops.convert_to_numpy(ops.cast(values, "float32"))
            total = float(np.sum(values, dtype="float64"))
            self._totals[name] = self._totals.get(name, 0.0) + total

    def result(self):
        return {name: total / self._count for name, total in self._totals.items()}


class KerasMetrics:
    """Metrics as `compile` takes them, under the names that Keras logs.

    Raises:
        YotoError: batches without targets.
    """

    def __init__(self, metrics, weighted_metrics, output_names):
        self._metrics = CompileMetrics(
            _copy(metrics), _copy(weighted_metrics), output_names=output_names
        )

    def update(self, inputs, targets, outputs, sample_weight):
        if targets is None:
            raise YotoError(
                "Keras metrics need batches (x, y); for batches that are one dict, "
                "pass a function of (inputs, outputs)"
            )
        self._metrics.update_state(targets, outputs, sample_weight)

    def result(self):
        return {name: float(value) for name, value in self._metrics.result().items()}


class Nothing:
    """No metrics."""

    def update(self, inputs, targets, outputs, sample_weight):
        pass

    def result(self):
        return {}


def measurement(model, metrics):
    """A new `Means`, `KerasMetrics` or `Nothing` for the metrics that `sweep` is given.

    A function is taken as one of (inputs, outputs), not as a metric of Keras.
    """
    if callable(metrics) and not isinstance(metrics, keras.metrics.Metric):
        return Means(metrics)
    if metrics is not None:
        given = (
            [metrics] if isinstance(metrics, (str, keras.metrics.Metric)) else metrics
        )
        return KerasMetrics(given, None, model.output_names)
    compiled = getattr(model, "_compile_metrics", None)
    if compiled is None:
        return Nothing()
    return KerasMetrics(
        compiled._user_metrics, compiled._user_weighted_metrics, model.output_names
    )


def _copy(metrics):
    """The same metrics with a state of their own."""
    return keras.tree.map_structure(
        lambda metric: (
            type(metric).from_config(metric.get_config())
            if isinstance(metric, keras.metrics.Metric)
            else metric
        ),
        metrics,
    )
