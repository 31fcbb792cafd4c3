"""The loss and its terms at chosen vectors of coefficients, in the log by name."""

import keras
import numpy as np

from yoto_tf.errors import CoefficientError

MOST_VECTORS = 16


class ValidationVectors:
    """Vectors at which a model is validated, and the means that go into the log.

    Args:
        coefficients: the `yoto_tf.Coefficients` of the model.
        vectors: array-like [N, K], or a list of dicts of values by name, of which those
            that are not named take their middle. N ≤ 16.

    Attributes:
        vectors: float32 [N, K].
        keys: N texts such as `depth_0p1`: without dots, so that the file-name templates
            of Keras can hold them, and without coefficients that do not vary.

    Raises:
        CoefficientError: too many vectors, equal ones, or one out of range.
    """

    def __init__(self, coefficients, vectors):
        rows = [
            coefficients.vector(**row) if isinstance(row, dict) else row
            for row in vectors
        ]
        if not 1 <= len(rows) <= MOST_VECTORS:
            raise CoefficientError(
                f"validate_at takes 1 to {MOST_VECTORS} vectors, each of which is a "
                f"pass through the validation data; got {len(rows)}"
            )
        self.vectors = coefficients.validate(np.atleast_2d(np.array(rows)))
        self.keys = [key(coefficients, vector) for vector in self.vectors]
        if len(set(self.keys)) < len(self.keys):
            raise CoefficientError(
                f"validate_at takes vectors that differ, got {self.vectors.tolist()}"
            )
        self.metrics = []

    def track(self, names):
        """Makes a mean for each name, such as `loss`, at each vector; only once."""
        if not self.metrics:
            self.metrics = [
                keras.metrics.Mean(name=f"{name}_at_{key}")
                for key in self.keys
                for name in names
            ]

    def update(self, index, values, batch_size):
        """Adds a batch's values at one vector, {name: [B], or the batch's mean}."""
        by_name = {metric.name: metric for metric in self.metrics}
        for name, value in values.items():
            weight = batch_size if len(value.shape) == 0 else None
            by_name[f"{name}_at_{self.keys[index]}"].update_state(value, weight)


def key(coefficients, vector):
    """A vector [K] as a name, `seg_1_depth_0p1`, of the coefficients that vary."""
    ranges = zip(coefficients.ranges().items(), vector, strict=True)
    return "_".join(
        f"{name}_{_plain(value)}" for (name, (low, high)), value in ranges if low < high
    )


def _plain(value):
    return f"{value:g}".replace(".", "p").replace("-", "m").replace("+", "")
