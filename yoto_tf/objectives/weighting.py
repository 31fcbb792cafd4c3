"""Loss terms times coefficients: what a training step minimises."""

import keras
from keras import layers, ops

from yoto_tf.scalarization import WeightedSum


class _BatchMean(keras.losses.Loss):
    """The mean of per-example losses, right also where replicas share a batch."""

    def call(self, y_true, y_pred):
        return y_pred


_batch_mean = _BatchMean(name="batch_mean", dtype="float32")


def batch_mean(values):
    """The mean of [B], divided by the number of replicas as Keras' own losses are."""
    return _batch_mean(values, values)


def unscaled(loss):
    """A loss as it is logged: without the division by the number of replicas."""
    return ops.cast(loss, "float32") / batch_mean(ops.ones((1,)))


@keras.saving.register_keras_serializable(package="yoto_tf")
class Weighting(layers.Layer):
    """Weighs the loss terms of each example by its coefficients.

        loss = mean_b Σ_i w_bi · L_bi ,   w_bi = coefficient i of example b, or 1

    A term is weighted by the coefficient of the same name; a term without one has
    weight 1. `LossConditionalModel` does this by itself; a model with a `train_step` of
    its own calls this layer.

    Args:
        coefficients: the `yoto_tf.Coefficients` of the model.
        balance: momentum in (0, 1) of the moving averages L̄ of |L_bi| by which the
            terms that have a coefficient are rescaled to the same size, Σ_j L̄_j / L̄_i;
            None leaves them as they are.
        normalize_weights: divide each example's weights by their geometric mean, so
            that no part of a wide range dominates the gradient. Needs coefficients > 0.
        scalarization: one of `yoto_tf.scalarization`, called with the weights and the
            terms; None for `WeightedSum`.

    Inputs: terms, {name: [B]}, and coefficients, [B, K]. Output: the loss, a float32
    scalar. With `training=True` the moving averages are updated.

    Raises:
        ValueError: balance out of range or with fewer than two coefficients, or weights
            to normalise that may be zero; when called, terms or coefficients of another
            shape, or no term with a coefficient.

    Example:
        >>> weighting = Weighting(coefficients)
        >>> seed = keras.random.SeedGenerator()
        >>> drawn = coefficients.sample(32, seed)       # in train_step
        >>> outputs = network({**x, "coefficients": drawn}, training=True)
        >>> loss = weighting({"error": ..., "smoothness": ...}, drawn, training=True)

    References: Dosovitskiy & Djolonga, ICLR 2020 (weights per example, geometric
    mean); Babaeizadeh & Ghiasi, ICLR 2020 (moving averages).
    """

    def __init__(
        self,
        coefficients,
        balance=None,
        normalize_weights=False,
        scalarization=None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "autocast": False, "dtype": "float32"})
        if balance is not None and not 0 < balance < 1:
            raise ValueError(f"balance must be in (0, 1), got balance={balance}")
        if balance is not None and len(coefficients) < 2:
            raise ValueError(
                "balance needs two or more coefficients, whose terms it makes equal in "
                f"size, got coefficients={coefficients}"
            )
        if normalize_weights and min(coefficients.ranges().values())[0] <= 0:
            raise ValueError(
                "normalize_weights needs coefficients > 0, "
                f"got coefficients={coefficients}"
            )
        if not callable(scalarization or WeightedSum()):
            raise ValueError(
                "scalarization must be one of yoto_tf.scalarization, such as "
                f"Tchebycheff(), got scalarization={scalarization!r}"
            )
        self.coefficients = coefficients
        self.balance = balance
        self.normalize_weights = normalize_weights
        self.scalarization = scalarization or WeightedSum()
        self.averages = {}
        if balance is not None:
            # All start at zero: their ratios are free of that start.
            for name in coefficients.names:
                self.averages[name] = self.add_weight(
                    initializer="zeros",
                    trainable=False,
                    autocast=False,
                    name=f"{name}_average",
                )

    @property
    def sums(self):
        """Whether the loss is linear in the terms."""
        return isinstance(self.scalarization, WeightedSum)

    def call(self, terms, coefficients, training=None):
        terms = {name: ops.cast(term, "float32") for name, term in terms.items()}
        self._check(terms, ops.shape(coefficients))
        if training:
            self.update_averages(terms)
        return batch_mean(self.scalarize(terms, self.term_weights(terms, coefficients)))

    def _check(self, terms, shape):
        """Refuses what would be broadcast, or would not be weighted at all."""
        names = self.coefficients.names
        if len(shape) != 2 or shape[1] != len(names):
            raise ValueError(
                f"expected coefficients [batch, {len(names)}], got {list(shape)}"
            )
        for name, term in terms.items():
            if len(term.shape) != 1:
                raise ValueError(
                    f"term {name!r} must have one value an example, [batch], got shape "
                    f"{list(term.shape)}"
                )
        if not set(names) & set(terms):
            raise ValueError(
                f"no coefficient weighs a term: the coefficients are {list(names)}, "
                f"the terms {list(terms)}"
            )

    def update_averages(self, terms):
        """Updates the averages of these terms, {name: tensor}."""
        momentum = self.balance
        for name, average in self.averages.items():
            if name in terms:
                mean = ops.stop_gradient(ops.mean(ops.abs(terms[name])))
                average.assign(average * momentum + (1 - momentum) * mean)

    def term_weights(self, names, coefficients, one_vector=False):
        """The weight of each term.

        Args:
            names: names of the terms.
            coefficients: float tensor [B, K].
            one_vector: whether all rows of `coefficients` are known to be equal.

        Returns:
            {name: tensor [B], scalar tensor, or float}. It is not [B] where the batch
            has one weight, so that Keras' own sum over the batch can be multiplied by
            it.
        """
        coefficients = ops.cast(coefficients, "float32")
        rows = coefficients[0] if one_vector else coefficients
        columns = {name: rows[..., i] for i, name in enumerate(self.coefficients.names)}
        ranges = self.coefficients.ranges()
        columns |= {name: low for name, (low, high) in ranges.items() if low == high}
        weights = {name: columns.get(name, 1.0) for name in names}
        if self.normalize_weights:
            logs = sum(ops.log(weight) for weight in weights.values())
            factor = ops.exp(-logs / len(weights))
            weights = {name: weight * factor for name, weight in weights.items()}
        return {name: w * self._scale(name) for name, w in weights.items()}

    def _scale(self, name):
        if name not in self.averages:
            return 1.0
        total = sum(ops.convert_to_tensor(a) for a in self.averages.values())
        average = self.averages[name]
        # Before the first step there is nothing to balance by.
        return ops.where(average > 0, total / ops.maximum(average, 1e-12), 1.0)

    def scalarize(self, terms, weights):
        """The scalarised terms [B] of `terms` [B] and `weights` [B] or scalar."""
        one = ops.ones_like(next(iter(terms.values())))
        return self.scalarization(
            {name: one * weight for name, weight in weights.items()}, terms
        )

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "coefficients": serialize(self.coefficients),
            "balance": self.balance,
            "normalize_weights": self.normalize_weights,
            "scalarization": serialize(self.scalarization),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("coefficients", "scalarization"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
