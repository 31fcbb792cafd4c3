"""Which loss terms help one another and which fight."""

import dataclasses
import itertools
import os
from collections.abc import Iterable

import keras
import numpy as np
from keras import ops

from yoto_tf.errors import CoefficientError, DataError, YotoError
from yoto_tf.objectives.prediction import terms_at
from yoto_tf.tradeoff import plots
from yoto_tf.tradeoff.gradients import flat_norm, gradients
from yoto_tf.tradeoff.sweeps import as_batches
from yoto_tf.tradeoff.tables import Results


@dataclasses.dataclass(frozen=True)
class Affinity(Results):
    """What `affinity` measured; `print` shows the mean matrix.

    Attributes:
        names: the T loss terms.
        coefficients: the V vectors, each by name.
        matrices: [V, T, T]; entry `[v][i][j]` is the fall of term j after a step
            on term i alone, 1 − L_j(θ′) / L_j(θ): positive where i helps j, negative
            where they fight.
    """

    names: list[str]
    coefficients: list[dict[str, float]]
    matrices: list[list[list[float]]]

    def matrix(self) -> np.ndarray:
        """The mean over the vectors [T, T]."""
        return np.mean(self.matrices, axis=0)

    def groups(self, networks: int) -> list[tuple[str, ...]]:
        """Which terms to train together, with at most so many networks.

        Of all partitions the one with the largest sum of Z_j, where Z_j is the mean
        affinity of the other terms of its group to term j, and 0 for a term alone. Of
        equal ones, that with the fewest networks.

        Raises:
            YotoError: fewer than one network.
        """
        if networks < 1:
            raise YotoError(f"groups needs 1 or more networks, got {networks}")
        matrix = self.matrix()
        choices = sorted(_partitions(len(self.names), networks), key=len)
        best = max(choices, key=lambda groups: sum(_score(matrix, g) for g in groups))
        return [tuple(self.names[index] for index in group) for group in best]

    def table(self) -> list[dict]:
        """A flat dict for each vector and pair of terms."""
        return [
            {f"{name}_coefficient": value for name, value in row.items()}
            | {"step_on": one, "changes": other, "affinity": matrix[i][j]}
            for row, matrix in zip(self.coefficients, self.matrices, strict=True)
            for (i, one), (j, other) in itertools.product(
                enumerate(self.names), repeat=2
            )
        ]

    def plot(self, path: str | os.PathLike) -> None:
        """Draws a matrix for each vector to a `.png`, `.svg` or `.pdf` file."""
        plots.affinity(path, self)

    def __str__(self):
        width = max(len(name) for name in ("step on", *self.names))
        columns = [max(len(name), 8) for name in self.names]
        header = " ".join(map(str.rjust, self.names, columns))
        lines = [f"{'step on':<{width}} {header}   (how much each falls, in %)"]
        for name, row in zip(self.names, 100 * self.matrix(), strict=True):
            cells = (
                f"{value:+{size}.3f}" for value, size in zip(row, columns, strict=True)
            )
            lines.append(f"{name:<{width}} {' '.join(cells)}")
        return "\n".join(lines)


def affinity(
    model: keras.Model,
    data: Iterable | dict | tuple,
    vectors=None,
    epochs: int = 1,
    every: int = 1,
    step: float = 0.01,
    batch_size: int = 32,
) -> Affinity:
    """Measures which loss terms help one another while a model is trained.

    The model is trained on the data as `fit` would; on the way, a gradient step is
    taken on each term alone, the others are looked at, and the step is taken back:

        Z_ij = mean over steps of 1 − L_j(θ − η_i ∇L_i(θ)) / L_j(θ)

    with the dial at each of the vectors. Afterwards the model and its optimizer are as
    they were. For a term below zero the quotient is by its magnitude.

    The length of a step is η_i = step · |L_i| / ‖∇L_i‖², by which L_i itself falls by
    about `step`, so that terms of any size can be compared. (The paper steps by one
    learning rate.) Dropout is off, and normalisations take their moving averages.

    Args:
        model: a compiled `LossConditionalModel`.
        data: batches as for `fit`; or arrays, (x, y) or one dict, which are cut into
            batches in their order.
        vectors: array-like [V, K] of raw coefficients; None for the middle.
        epochs: how often to go through the data.
        every: batches from one measurement to the next. One costs a gradient of every
            term and T + 1 forward passes, for each vector.
        step: by what share a term is to fall, in (0, 1).
        batch_size: of what is cut from arrays.

    Raises:
        CoefficientError: vectors out of range.
        DataError: no batch, or data without an end.
        YotoError: the model is not compiled.

    Reference: Fifty et al., "Efficiently Identifying Task Groupings in Multi-Task
    Learning", NeurIPS 2021.
    """
    _check(model, every, step)
    middle = model.coefficients.at(0.5)
    vectors = np.atleast_2d(
        model.coefficients.validate(middle if vectors is None else vectors)
    )
    found = [[] for _ in vectors]
    batches = (
        (number, batch)
        for _ in range(epochs)
        for number, batch in enumerate(as_batches(model, data, batch_size))
    )
    kept = None
    try:
        for number, batch in batches:
            if kept is None:
                # Its variables are all there once it has seen a batch.
                names = list(terms_at(model, batch, vectors[0]))
                model.optimizer.build(model.trainable_variables)
                kept = _values([*model.variables, *model.optimizer.variables])
            if number % every == 0:
                for vector, matrices in zip(vectors, found, strict=True):
                    matrices.append(_look_ahead(model, batch, vector, step))
            model.train_on_batch(*_arguments(batch))
    finally:
        _assign(kept or [])
    if kept is None:
        raise DataError("the data has no batch (a generator lasts for one pass only)")
    rows = [
        dict(zip(model.coefficients.names, vector.tolist(), strict=True))
        for vector in vectors
    ]
    return Affinity(
        names, rows, [np.nanmean(matrices, axis=0).tolist() for matrices in found]
    )


def _look_ahead(model, batch, vector, step):
    """The relative fall [T, T] of every term after a step on each."""
    variables = model.network.trainable_variables

    def terms():
        return terms_at(model, batch, vector)

    found = gradients(variables, terms)
    before = np.array([value for value, _ in found.values()])
    start = _values(variables)
    rows = []
    for value, gradient in found.values():
        norm = flat_norm(gradient)
        rate = step * abs(value) / norm**2 if norm > 0 else 0.0
        _assign(
            (variable, array - rate * part)
            for (variable, array), part in zip(start, gradient, strict=True)
        )
        after = np.array([float(ops.stop_gradient(term)) for term in terms().values()])
        with np.errstate(invalid="ignore", divide="ignore"):
            rows.append((before - after) / np.abs(before))
    _assign(start)
    return rows


def _values(variables):
    return [(variable, ops.convert_to_numpy(variable).copy()) for variable in variables]


def _assign(values):
    for variable, array in values:
        variable.assign(array)


def _arguments(batch):
    return batch if isinstance(batch, tuple) else (batch,)


def _partitions(count, most):
    """All ways to part range(count) into at most `most` groups."""
    if count == 0:
        yield []
        return
    last = count - 1
    for groups in _partitions(last, most):
        for index, group in enumerate(groups):
            yield [*groups[:index], [*group, last], *groups[index + 1 :]]
        if len(groups) < most:
            yield [*groups, [last]]


def _score(matrix, group):
    if len(group) == 1:
        return 0.0
    within = matrix[np.ix_(group, group)]
    return (within.sum() - np.trace(within)) / (len(group) - 1)


def _check(model, every, step):
    if not hasattr(model, "coefficients"):
        raise CoefficientError(
            f"affinity expects a LossConditionalModel, got a {type(model).__name__}"
        )
    if not model.compiled:
        raise YotoError("affinity trains the model on the way: compile it first")
    if every < 1 or not 0 < step < 1:
        raise YotoError(
            f"affinity needs every ≥ 1 and step in (0, 1), got {every} and {step}"
        )
