"""The losses of `compile(loss=...)`, each kept apart and one value an example."""

import dataclasses
import functools
from typing import Any

import keras
from keras import ops
from keras.src.backend import get_keras_mask, set_keras_mask
from keras.src.trainers.compile_utils import CompileLoss

from yoto_tf.objectives.weighting import batch_mean, unscaled


class TermLosses(CompileLoss):
    """Keras' container of the losses of a model's outputs, which returns each, too.

    Keras itself assigns losses to outputs, applies masks and sample weights, and names
    and tracks what is logged.
    """

    def build(self, y_true, y_pred):
        super().build(y_true, y_pred)
        names = [entry.name for entry in self._flat_losses]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"expected one loss for each output, got {names.count(name)} for "
                    f"{name!r}: sum them in one function"
                )
        self._flat_losses = [
            entry._replace(loss=functools.partial(self._record, entry))
            for entry in self._flat_losses
        ]

    def terms(self, y_true, y_pred, sample_weight=None):
        """{name of an output: its `Term`}; updates what tracks the losses."""
        self._found = {}
        self(y_true, y_pred, sample_weight)
        return self._found

    @property
    def factors(self):
        """{name of an output: its entry in `loss_weights`}, of the last batch."""
        return {name: term.factor for name, term in self._found.items()}

    def _record(self, entry, y_true, y_pred, sample_weight):
        value = entry.loss(y_true, y_pred, _untouched(sample_weight))
        if len(value.shape) > 0:
            raise ValueError(
                f"the loss of {entry.name!r} needs a reduction such as "
                f"'sum_over_batch_size', got reduction={entry.loss.reduction}"
            )
        factor = 1.0 if entry.loss_weights is None else entry.loss_weights
        given = (y_true, y_pred, sample_weight)
        self._found[entry.name] = Term(entry.name, entry.loss, given, value, factor)
        return value


@dataclasses.dataclass
class Term:
    """The loss of one output for one batch.

    Attributes:
        name: the output's.
        loss: a `keras.losses.Loss`.
        given: what it was called with: targets, outputs and sample weights.
        value: what it returned, a scalar.
        factor: the output's entry in `loss_weights`.
    """

    name: str
    loss: keras.losses.Loss
    given: tuple[Any, Any, Any]
    value: Any
    factor: float

    @property
    def batch_size(self):
        return ops.shape(keras.tree.flatten(self.given[1])[0])[0]

    def rows(self):
        """One value an example, [B], whose `batch_mean` is `value`.

        Raises:
            ValueError: the loss is one number for the whole batch, as a function that
                ends with a mean returns it.
        """
        values = _Values(self.loss)
        y_true, y_pred, sample_weight = self.given
        weighted = values(y_true, y_pred, _untouched(sample_weight))
        if len(weighted.shape) == 0:
            raise ValueError(
                f"the loss of output {self.name!r} is one number for the batch, "
                "expected one an example, [batch, ...], for each to have its own "
                "coefficient (draw='batch' draws one for all)"
            )
        axes = tuple(range(1, len(weighted.shape)))
        reduction = self.loss.reduction
        if reduction != "mean_with_sample_weight":
            sample_weight = None
        masked = values.masked or get_keras_mask(y_pred) is not None
        if reduction != "sum" and not masked and sample_weight is None:
            return ops.mean(weighted, axis=axes)
        # Each reduction is the sum over all values times one number for the batch.
        reduced, summed = (
            _Values(self.loss, how, ones=True)(
                y_true, y_pred, _untouched(sample_weight)
            )
            for how in (reduction, "sum")
        )
        rows = ops.sum(weighted, axis=axes) * ops.divide_no_nan(reduced, summed)
        one = ops.ones_like(rows)
        return rows * ops.sum(one) / batch_mean(one)

    def rows_or_mean(self, batch_size):
        """`rows`, or `value` for each example of a loss that has no rows."""
        try:
            return self.rows()
        except ValueError:
            return ops.broadcast_to(unscaled(self.value), (batch_size,))


class _Values(keras.losses.Loss):
    """A loss with another reduction, or its weights and mask alone."""

    def __init__(self, loss, reduction=None, ones=False):
        super().__init__(name=loss.name, reduction=reduction, dtype=loss.dtype)
        self.loss, self.ones = loss, ones

    def call(self, y_true, y_pred):
        values = ops.convert_to_tensor(self.loss.call(y_true, y_pred))
        mask = get_keras_mask(values)
        self.masked = mask is not None
        if self.ones:
            values = ops.ones_like(values)
            if self.masked:
                set_keras_mask(values, mask)
        return values


def _untouched(sample_weight):
    """A copy where Keras would multiply the weights by a mask in place."""
    if sample_weight is None or keras.backend.backend() != "torch":
        return sample_weight
    return ops.copy(sample_weight)


def weighted_terms(weighting, terms, weights):
    """The weighted loss of a batch, a scalar.

    A term with one weight for all examples takes the value that Keras computed.

    Args:
        weighting: a `Weighting`.
        terms: {name: `Term`}.
        weights: {name: tensor [B], scalar tensor or float}, for them all.
    """
    if not weighting.sums:
        has_one = all(len(getattr(w, "shape", ())) == 0 for w in weights.values())
        rows = {
            name: term.rows_or_mean(term.batch_size) if has_one else term.rows()
            for name, term in terms.items()
        }
        factors = {name: weights[name] * term.factor for name, term in terms.items()}
        return batch_mean(weighting.scalarize(rows, factors))
    parts = []
    for name, term in terms.items():
        weight = weights[name]
        if len(getattr(weight, "shape", ())) == 0:
            # One product, so that it equals Keras' own with `loss_weights` to the bit.
            value = ops.cast(term.value, "float32")
            parts.append(value * (weight * term.factor))
        else:
            rows = ops.cast(term.rows(), "float32")
            parts.append(batch_mean(weight * rows) * term.factor)
    return sum(parts)
