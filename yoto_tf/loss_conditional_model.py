"""The loss-conditional model: one network trained on a distribution of objectives."""

import contextlib

import keras
from keras import layers, ops

from yoto_tf.errors import CoefficientError
from yoto_tf.scalarization import WeightedSum

_ONE_DICT = (
    "batches must be one dict: put targets beside the inputs instead of passing (x, y)"
)


class Objective(layers.Layer):
    """Per-example loss terms, weighted by coefficients and summed.

        loss_b = Σ_i w_bi · L_bi ,   w_bi = coefficient i of example b, or 1

    A term is weighted by the coefficient of the same name; a term without one has
    weight 1. Another `scalarization` may take the place of the sum.

    Args:
        loss_terms: function of (inputs, outputs) to {name: tensor [B]}: the batch, and
            what the network returns for it, cast to float32 under a mixed policy.
        coefficients: the `yoto_tf.Coefficients` of the model.
        balance: momentum in (0, 1) of the moving averages L̄ by which the terms that
            have a coefficient are rescaled to the same size, Σ_j L̄_j / L̄_i; None
            leaves them as they are.
        normalize_weights: divide each example's weights by their geometric mean, so
            that no part of a wide range dominates the gradient. Needs coefficients > 0.
        scalarization: one of `yoto_tf.scalarization`, called with the weights and the
            terms; None for `WeightedSum`.

    Raises:
        ValueError: balance out of range, weights to normalise that may be zero, terms
            that are not of shape [B], or a coefficient without a term.

    References: Dosovitskiy & Djolonga, ICLR 2020 (weights per example, geometric
    mean); Babaeizadeh & Ghiasi, ICLR 2020 (moving averages).
    """

    def __init__(
        self,
        loss_terms,
        coefficients,
        balance=None,
        normalize_weights=False,
        scalarization=None,
        **kwargs,
    ):
        super().__init__(autocast=False, dtype="float32", **kwargs)
        if balance is not None and not 0 < balance < 1:
            raise ValueError(f"balance must be in (0, 1). Received: balance={balance}")
        if normalize_weights and min(coefficients.ranges().values())[0] <= 0:
            raise ValueError(
                "normalize_weights needs coefficients > 0. "
                f"Received: coefficients={coefficients}"
            )
        self.loss_terms = loss_terms
        self.coefficients = coefficients
        self.balance = balance
        self.normalize_weights = normalize_weights
        self.scalarization = scalarization or WeightedSum()
        self.trackers = {}
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

    def _terms(self, inputs, outputs, batch_size):
        """The unweighted terms, {name: float32 [B]}, checked."""
        terms = self.loss_terms(inputs, keras.tree.map_structure(_float32, outputs))
        missing = set(self.coefficients.names) - set(terms)
        if missing:
            raise ValueError(
                f"every coefficient needs a loss term of its name; none for "
                f"{sorted(missing)}. Received terms: {sorted(terms)}"
            )
        for name, term in terms.items():
            if len(term.shape) != 1 or (
                None not in (batch_size, term.shape[0]) and term.shape[0] != batch_size
            ):
                raise ValueError(
                    f"loss term {name!r} must have shape [batch]. "
                    f"Received: shape={tuple(term.shape)}"
                )
        return {name: ops.cast(term, "float32") for name, term in terms.items()}

    def score(self, inputs, outputs, coefficients, training=None):
        """The scalarised terms [B] and the unweighted terms."""
        terms = self._terms(inputs, outputs, coefficients.shape[0])
        if not self.built:
            self.trackers = {name: keras.metrics.Mean(name=name) for name in terms}
            self.built = True
        if self.balance is not None and training:
            self._update_averages(terms)
        weights = self._weights(terms, ops.cast(coefficients, "float32"))
        return self.scalarization(weights, terms), terms

    def _update_averages(self, terms):
        momentum = self.balance
        for name, average in self.averages.items():
            mean = ops.stop_gradient(ops.mean(terms[name]))
            average.assign(average * momentum + (1 - momentum) * mean)

    def _weights(self, terms, coefficients):
        columns = ops.unstack(coefficients, len(self.coefficients), axis=-1)
        weights = dict(zip(self.coefficients.names, columns, strict=True))
        one = ops.ones_like(columns[0])
        weights = {name: weights.get(name, one) for name in terms}
        if self.normalize_weights:
            logs = sum(ops.log(weight) for weight in weights.values())
            factor = ops.exp(-logs / len(weights))
            weights = {name: weight * factor for name, weight in weights.items()}
        if self.balance is not None:
            total = sum(ops.convert_to_tensor(a) for a in self.averages.values())
            for name, average in self.averages.items():
                # Before the first step there is nothing to balance by.
                scale = ops.where(average > 0, total / ops.maximum(average, 1e-12), 1.0)
                weights[name] = weights[name] * scale
        return weights


def _float32(tensor):
    is_float = keras.backend.is_float_dtype(tensor.dtype)
    return ops.cast(tensor, "float32") if is_float else tensor


class _BatchMean(keras.losses.Loss):
    """The mean of per-example losses, right also where replicas share a batch."""

    def call(self, y_true, y_pred):
        return y_pred


@keras.saving.register_keras_serializable(package="yoto_tf")
class LossConditionalModel(keras.Model):
    """Trains a network that takes a coefficient vector for all coefficients at once.

    In `fit` and `evaluate` every example gets its own vector, drawn from the training
    distribution; the network is told the vector and the loss is weighted by it. Batches
    that already carry `"coefficients"` keep theirs, which is how a trained model is
    evaluated at a chosen setting.

    Args:
        network: a Keras model whose input is a dict with `"coefficients"` [B, K], raw.
        loss_terms: function of (inputs, outputs) to {name: tensor [B]}; see
            `Objective`.
        coefficients: the `yoto_tf.Coefficients` to train on.
        balance: see `Objective`.
        normalize_weights: see `Objective`.
        scalarization: see `Objective`.

    Inputs: a dict of tensors [B, ...]. Whatever the loss terms need beyond the
    network's own inputs, labels say, travels in the same dict. Called with coefficients
    it returns what the network returns; without, a pair of that and the coefficients it
    drew.

    Raises:
        ValueError: batches that are not one dict, inputs that the network lacks; see
            `Objective` for the rest.

    Example:
        >>> model = LossConditionalModel(network, loss_terms, coefficients)
        >>> model.compile("adam")
        >>> model.fit(dataset)          # batches {"image": [B, H, W, 3], ...}
        >>> model.predict({"image": x, "coefficients": c})

    Reference: Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional Training
    of Deep Networks", ICLR 2020.
    """

    def __init__(
        self,
        network,
        loss_terms,
        coefficients,
        balance=None,
        normalize_weights=False,
        scalarization=None,
        **kwargs,
    ):
        # Targets and coefficients keep their precision; the network casts its inputs.
        super().__init__(autocast=False, **kwargs)
        self.network = network
        self.coefficients = coefficients
        self.objective = Objective(
            loss_terms, coefficients, balance, normalize_weights, scalarization
        )
        self.seed_generator = keras.random.SeedGenerator()
        self._batch_mean = _BatchMean(name="batch_mean", dtype="float32")

    def build(self, input_shape):
        """Does nothing: the first call, which has a batch, builds what is not built."""

    def call(self, inputs, training=None):
        if not isinstance(inputs, dict):
            raise ValueError(_ONE_DICT)
        coefficients = inputs.get("coefficients")
        drawn = coefficients is None
        if drawn:
            batch_size = ops.shape(next(iter(inputs.values())))[0]
            coefficients = self.coefficients.sample(batch_size, self.seed_generator)
        outputs = self.network(
            self._network_inputs({**inputs, "coefficients": coefficients}),
            training=training,
        )
        if not self.objective.built:
            # Its metrics must exist before a step is compiled. A batch without labels,
            # as in predict, has no loss terms and needs none.
            with contextlib.suppress(KeyError):
                self.objective.score(inputs, outputs, coefficients)
        return (outputs, coefficients) if drawn else outputs

    def _network_inputs(self, inputs):
        """Functional models insist on exactly their own inputs."""
        tensors = getattr(self.network, "inputs", None)
        if not tensors:
            return inputs
        if isinstance(self.network.input, dict):
            names = list(self.network.input)
        else:
            names = [tensor.name for tensor in tensors]
        missing = set(names) - set(inputs)
        if missing:
            raise ValueError(
                f"the network needs inputs {names}; missing {sorted(missing)}"
            )
        return {name: inputs[name] for name in names}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        if y is not None or sample_weight is not None:
            raise ValueError(_ONE_DICT)
        coefficients = x.get("coefficients")
        if coefficients is None:
            y_pred, coefficients = y_pred
        total, terms = self.objective.score(x, y_pred, coefficients, training)
        for name, term in terms.items():
            self.objective.trackers[name].update_state(term)
        total = total + sum(self.losses)
        return self._batch_mean(total, total)

    def predict_at(self, inputs, **coefficients):
        """The network's outputs for a batch at one setting of the dial.

        Args:
            inputs: dict of arrays [B, ...] without coefficients.
            **coefficients: values by name; unnamed ones take their middle.

        Raises:
            CoefficientError: unknown name or value out of range.
        """
        if "coefficients" in inputs:
            raise CoefficientError(
                "give the coefficients by name or as input, not both"
            )
        vector = self.coefficients.vector(**coefficients)
        count = len(next(iter(inputs.values())))
        rows = ops.tile(ops.convert_to_tensor(vector)[None], (count, 1))
        return self({**inputs, "coefficients": rows}, training=False)

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "network": serialize(self.network),
            "loss_terms": serialize(self.objective.loss_terms),
            "coefficients": serialize(self.coefficients),
            "balance": self.objective.balance,
            "normalize_weights": self.objective.normalize_weights,
            "scalarization": serialize(self.objective.scalarization),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("network", "loss_terms", "coefficients", "scalarization"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)
