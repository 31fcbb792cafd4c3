"""A trained model's loss terms over a grid of coefficients."""

import dataclasses
import os
from collections.abc import Callable, Iterable

import keras
import numpy as np
from keras import ops

from yoto_tf.errors import CoefficientError, DataError, YotoError
from yoto_tf.machine.progress import progress_bar
from yoto_tf.objectives.batches import finite
from yoto_tf.objectives.prediction import measure
from yoto_tf.tradeoff import plots
from yoto_tf.tradeoff.fronts import non_dominated
from yoto_tf.tradeoff.measurement import measurement
from yoto_tf.tradeoff.tables import Results


@dataclasses.dataclass(frozen=True)
class Sweep(Results):
    """Means over a data set, one point for each vector of coefficients.

    Attributes:
        coefficients: the raw values of each point, by name.
        terms: the mean of every loss term at each point, by name.
        metrics: the means of what was measured besides, by name; empty dicts if
            nothing was.
        objectives: the mean of what the model minimises at each point, see `totals`;
            empty where only the terms are known.
    """

    coefficients: list[dict[str, float]]
    terms: list[dict[str, float]]
    metrics: list[dict[str, float]]
    objectives: list[float] = dataclasses.field(default_factory=list)

    def __len__(self):
        return len(self.coefficients)

    def __add__(self, other):
        """The points of both, those of `other` last."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sweep(*(mine + theirs for mine, theirs in pairs))

    def totals(self):
        """What the model minimises, [N], mean over the examples.

        The weighted sum of the terms, each times its coefficient, or 1 without one, and
        times its entry in `loss_weights`; or the model's other scalarisation of them.
        Balancing and normalised weights, which only rescale a training, do not count,
        and neither do losses of layers that no coefficient names. Where only the terms
        are known it is their sum, each times its coefficient.
        """
        if self.objectives:
            return np.array(self.objectives)
        return np.array(
            [
                sum(weights.get(name, 1.0) * term for name, term in terms.items())
                for weights, terms in zip(self.coefficients, self.terms, strict=True)
            ]
        )

    def points(self, *names):
        """The values of some terms or metrics, [N, number of names].

        Args:
            *names: which; none for all loss terms.

        Raises:
            YotoError: a name that does not exist.
        """
        rows = [
            {**terms, **metrics}
            for terms, metrics in zip(self.terms, self.metrics, strict=True)
        ]
        names = names or tuple(self.terms[0])
        for name in names:
            if name not in rows[0]:
                known = ", ".join(rows[0])
                raise YotoError(f"no term {name!r}, expected one of: {known}")
        return np.array([[row[name] for name in names] for row in rows])

    def front(self, *names, maximise=()):
        """The points that no other beats, from the least of the first name upwards.

        Args:
            *names: two or more terms or metrics; none for all loss terms.
            maximise: those of which more is better, such as an accuracy.

        Returns:
            A `Sweep` of these points.

        Raises:
            YotoError: a name that does not exist.
        """
        names = names or tuple(self.terms[0])
        maximise = [maximise] if isinstance(maximise, str) else maximise
        names += tuple(name for name in maximise if name not in names)
        points = self.points(*names)
        signs = np.array([-1 if name in maximise else 1 for name in names])
        kept = np.flatnonzero(non_dominated(points * signs))
        kept = kept[np.argsort(points[kept, 0], kind="stable")]
        return Sweep(*([rows[i] for i in kept if rows] for rows in vars(self).values()))

    def table(self):
        """A list of flat dicts, one a point.

        Coefficients have keys such as `kl_coefficient`, terms and metrics their own
        names, and what `totals` gives is `total`.
        """
        return [
            {f"{name}_coefficient": value for name, value in weights.items()}
            | terms
            | metrics
            | {"total": float(total)}
            for weights, terms, metrics, total in zip(
                self.coefficients, self.terms, self.metrics, self.totals(), strict=True
            )
        ]

    def plot(
        self,
        path: str | os.PathLike,
        *names: str,
        fixed: "Sweep" = None,
        labels: tuple[str, str, str] | None = None,
    ) -> None:
        """Draws the front of two terms or metrics to a file.

        Args:
            path: a `.png`, `.svg` or `.pdf` file.
            *names: two terms or metrics; by default the first two terms.
            fixed: what models with fixed coefficients reach, drawn beside it.
            labels: of the horizontal axis, the vertical axis and the colours, with
                units; by default the names.
        """
        plots.front(path, self, names or tuple(self.terms[0])[:2], fixed, labels)


def sweep(
    model: keras.Model,
    data: Iterable | dict | tuple,
    grid,
    metrics: Callable | list | dict | None = None,
) -> Sweep:
    """Evaluates a loss-conditional model at every vector of a grid.

    Args:
        model: a `LossConditionalModel`.
        data: finite batches without coefficients, as for `fit`, gone through once; or
            one batch: a dict of arrays [B, ...], (x, y) or (x, y, sample_weight).
        grid: array-like [N, K] of raw coefficients, such as `coefficients.grid(13)`.
        metrics: what else to measure: Keras metrics, a list or dict as for `compile`;
            or a function of (inputs, outputs) to {name: tensor [B]}, as the loss terms
            are. None for the metrics of `compile`, if there are any.

    Returns:
        A `Sweep`, whose means are over examples, however they are batched.

    Raises:
        CoefficientError: vectors out of the trained range.
        DataError: data without an example or without an end.
        YotoError: Keras metrics for batches without targets, or a function whose values
            are not one an example.
    """
    check_model(model, "sweep")
    grid = np.atleast_2d(model.coefficients.validate(grid))
    sums = [{} for _ in grid]
    others = [measurement(model, metrics) for _ in grid]
    objectives = np.zeros(len(grid))
    count = 0
    for batch in progress_bar(as_batches(model, data), unit="batch", leave=False):
        inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
        count += len(keras.tree.flatten(inputs)[0])
        for point, vector in enumerate(grid):
            outputs, found, total = measure(model, batch, vector)
            _add(sums[point], found)
            objectives[point] += np.sum(ops.convert_to_numpy(total), dtype="float64")
            others[point].update(inputs, targets, outputs, weights)
    if not count:
        raise DataError("the data has no example (a generator lasts for one pass only)")
    return Sweep(
        [
            dict(zip(model.coefficients.names, vector.tolist(), strict=True))
            for vector in grid
        ],
        [{name: total / count for name, total in terms.items()} for terms in sums],
        [other.result() for other in others],
        (objectives / count).tolist(),
    )


def regret(one: Sweep, many: Sweep) -> np.ndarray:
    """How much one network loses against networks trained for one vector each.

        100 · (total_one − total_many) / |total_many|

    Args:
        one: the conditioned network at N vectors.
        many: N networks, each at the vector it was trained for, in the same order.

    Returns:
        Percent of `Sweep.totals` [N]; negative where the one network is better.

    Raises:
        YotoError: the vectors are not the same.
    """
    if len(one) != len(many) or not all(
        a.keys() == b.keys() and np.allclose(list(a.values()), [b[name] for name in a])
        for a, b in zip(one.coefficients, many.coefficients, strict=True)
    ):
        raise YotoError(
            f"regret: expected sweeps over the same coefficients, got "
            f"{one.coefficients} and {many.coefficients}"
        )
    return 100 * (one.totals() - many.totals()) / np.abs(many.totals())


def check_model(model, caller):
    """Refuses a model without a dial, or one without loss terms.

    Raises:
        CoefficientError: naming the function that was called.
    """
    if not hasattr(model, "coefficients"):
        raise CoefficientError(
            f"{caller} expects a LossConditionalModel, got a {type(model).__name__}"
        )
    if model.objective.function is None and not model.compiled:
        raise CoefficientError(
            f"{caller} expects a model with losses: call compile(loss=...) first"
        )


def as_batches(model, data, batch_size=None):
    """Batches of NumPy arrays, each a dict, (x, y) or (x, y, sample_weight).

    Args:
        model: a `LossConditionalModel`.
        data: finite batches, or one dict or tuple of arrays.
        batch_size: of what is cut from arrays; None for one batch of all.

    Raises:
        DataError: data without an end.
    """
    if not isinstance(data, (dict, tuple)):
        batches = finite(data)
    else:
        size = len(keras.tree.flatten(data)[0])
        batches = (
            keras.tree.map_structure(
                lambda part, at=at: None if part is None else part[at], data
            )
            for at in _slices(size, batch_size or size)
        )
    for batch in batches:
        # (x,) and the like where x holds everything.
        if model.objective.function is not None and not isinstance(batch, dict):
            batch = batch[0]
        yield keras.tree.map_structure(_float32, batch)


def _slices(size, length):
    return [slice(i, i + length) for i in range(0, size, max(length, 1))]


def _float32(value):
    if value is None:
        return None
    # As fit does with arrays.
    array = np.asarray(value)
    return array.astype("float32") if array.dtype == "float64" else array


def _add(totals, terms):
    for name, term in terms.items():
        values = ops.convert_to_numpy(ops.cast(term, "float32"))
        totals[name] = totals.get(name, 0.0) + float(np.sum(values, dtype="float64"))
