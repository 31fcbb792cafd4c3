"""The loss-conditional model: one network trained on a distribution of objectives."""

import keras

from yoto_tf.conditional_network import check_export
from yoto_tf.errors import CoefficientError
from yoto_tf.layers import CoefficientEmbedding
from yoto_tf.objectives import batches, drawing, prediction, serialization
from yoto_tf.objectives.compiled_terms import TermLosses
from yoto_tf.objectives.objective import Objective
from yoto_tf.objectives.progress import with_progress
from yoto_tf.objectives.training_step import TrainingStep
from yoto_tf.objectives.validation import ValidationVectors


@keras.saving.register_keras_serializable(package="yoto_tf")
class LossConditionalModel(TrainingStep, keras.Model):
    """Trains a network that takes a coefficient vector for all coefficients at once.

    In `fit` every example gets its own vector, drawn from the training distribution;
    the network is told the vector and the loss is weighted by it. The rest is Keras':

        >>> network = condition(any_keras_model, coefficients)
        >>> model = LossConditionalModel(network, coefficients=coefficients)
        >>> model.compile("adam", loss={"seg": "mse", "depth": "mae"}, metrics=...)
        >>> model.fit(pairs)                          # (x, y) or (x, y, sample_weight)
        >>> model.predict_at(x, depth=0.1)

    **Terms** are the losses of the outputs, one value an example: a coefficient weighs
    the output of its name, and an output without one has weight 1. `loss_weights` and
    sample weights multiply what they multiply in Keras. Further terms are what a layer
    passes to `add_loss`, by the layer's name, and the weight regularisers, all together
    as `regularizers`. Where all examples of a batch have equal coefficients, the loss
    is the one that Keras computes with them as `loss_weights`.

    Or a function computes the terms: `LossConditionalModel(network, loss_terms,
    coefficients)`, on batches that are one dict of the inputs, the labels and all else
    that `loss_terms(inputs, outputs)` needs. As `loss_terms(inputs, outputs,
    coefficients)` it is also given the coefficients, {name: [B]}, which then need not
    be weights: a focusing parameter, a quantile, a temperature.

    **Evaluation**, also that of `fit`, takes fixed vectors that cover the distribution
    evenly, so that it can be repeated; `compile(..., validate_at=...)` chooses others.
    Where the inputs hold `"coefficients"`, those are taken, in training as well.

    Args:
        network: a Keras model whose input is a dict with `"coefficients"` [B, K], raw.
        loss_terms: function of (inputs, outputs) or (inputs, outputs, coefficients) to
            {name: tensor [B]}; None to take the losses from `compile`.
        coefficients: the `yoto_tf.Coefficients` to train on.
        balance: see `Weighting`.
        normalize_weights: see `Weighting`.
        scalarization: see `Weighting`.
        draw: how a batch's vectors are drawn: `"example"`, each by itself; `"batch"`,
            one for all, for terms that are one number a batch; or `"stratified"`, see
            `Coefficients.sample`.
        without_term: names of coefficients that weigh no term because the network reads
            them; what `loss_terms` reads need not be named.

    Called with coefficients it returns what the network returns; without, a pair of
    that and the coefficients it drew.

    Raises:
        ValueError: inputs that the network lacks, terms of another shape, a coefficient
            that weighs nothing (from the first batch, or from `compile`), coefficients
            that are not those of the network's embedding or go beyond their ranges.

    Reference: Dosovitskiy & Djolonga, "You Only Train Once: Loss-Conditional Training
    of Deep Networks", ICLR 2020.
    """

    def __init__(
        self,
        network,
        loss_terms=None,
        coefficients=None,
        balance=None,
        normalize_weights=False,
        scalarization=None,
        draw="example",
        without_term=(),
        **kwargs,
    ):
        # Targets and coefficients keep their precision; the network casts its inputs.
        super().__init__(autocast=False, **kwargs)
        if not hasattr(coefficients, "check_draw"):
            raise CoefficientError(
                "expected LossConditionalModel(network, loss_terms, coefficients) or "
                f"(network, coefficients=...), got coefficients={coefficients!r}"
            )
        coefficients.check_draw(draw)
        if isinstance(without_term, str):
            without_term = (without_term,)
        unknown = sorted(set(without_term) - set(coefficients.names))
        if unknown:
            raise CoefficientError(
                f"without_term names {unknown[0]!r}, expected some of "
                f"{', '.join(coefficients.names)}"
            )
        self.network = network
        self.coefficients = coefficients
        self.draw = draw
        self.without_term = tuple(without_term)
        self.objective = Objective(
            loss_terms,
            coefficients,
            balance,
            normalize_weights,
            scalarization,
            self.without_term,
            one_vector=draw == "batch",
        )
        _check_coefficients(network, coefficients)
        self.seed_generator = drawing.ReplicaSeeds()
        self.progress = None
        if coefficients.is_annealed:
            # From 0 to 1. A variable, since a step that JAX compiled reads no
            # attributes.
            self.progress = self.add_weight(
                initializer="zeros", trainable=False, dtype="float32", name="progress"
            )

    @property
    def output_names(self):
        """Names of the network's outputs, by which Keras assigns losses and metrics."""
        return getattr(self.network, "output_names", None)

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        *args,
        validate_at=None,
        **kwargs,
    ):
        """Keras' `compile`, and where to validate.

        Args:
            validate_at: vectors of coefficients [N, K], or N dicts of values by name,
                N ≤ 16. `fit` and `evaluate` then run the validation data at each:
                `val_loss` is the mean over them, and the loss and the terms of each are
                logged as `val_depth_loss_at_depth_0p1`. None for one pass, with the
                fixed vectors spread over the examples.

        Raises:
            ValueError: terms given twice, or weights or metrics without a loss.
            CoefficientError: a coefficient that weighs nothing; see
                `ValidationVectors`.
        """
        batches.check_compile(self, loss, loss_weights, metrics or weighted_metrics)
        loss_weights = batches.complete(loss, loss_weights)
        if validate_at is not None:
            validate_at = ValidationVectors(self.coefficients, validate_at)
        super().compile(
            optimizer, loss, loss_weights, metrics, weighted_metrics, *args, **kwargs
        )
        if loss is not None:
            self._compile_loss = TermLosses(
                loss, loss_weights, output_names=self.output_names
            )
        self.validate_at = validate_at
        self._track_vectors()

    def get_compile_config(self):
        config = super().get_compile_config()
        if config and self.validate_at is not None:
            config["validate_at"] = self.validate_at.vectors.tolist()
        return config

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def build(self, input_shape):
        """Does nothing: the first call, which has a batch, builds what is not built."""

    def fit(self, *args, **kwargs):
        """Keras' `fit`; refuses what would be ignored, see `check_fit`.

        Raises:
            CoefficientError: the network does not take the coefficients, and these are
                drawn: it would be trained for their mean.
        """
        batches.check_network(self)
        batches.check_fit(self.coefficients, super().fit, args, kwargs)
        if self.progress is not None:
            args, kwargs = with_progress(super().fit, args, kwargs)
        return super().fit(*args, **kwargs)

    def evaluate(self, *args, **kwargs):
        """Keras' `evaluate`, at the same coefficients each time."""
        if not kwargs.get("_use_cached_eval_dataset"):
            batches.check_fit(self.coefficients, super().evaluate, args, kwargs)
        with self._evaluation():
            return super().evaluate(*args, **kwargs)

    def test_on_batch(self, *args, **kwargs):
        """Keras' `test_on_batch`, at the same coefficients each time."""
        with self._evaluation():
            return super().test_on_batch(*args, **kwargs)

    def predict_at(self, inputs, /, *, batch_size=32, **coefficients):
        """The network's outputs at a setting of the dial.

        Args:
            inputs: arrays [N, ...] as for `predict`, with or without labels beside
                them, but without coefficients; or a data set of batches.
            batch_size: how many arrays go through the network together.
            **coefficients: values by name, or arrays [N] with a value for each example
                (not for a data set); those that are not named take their middle.

        Returns:
            NumPy arrays [N, ...] in the structure of the network's outputs.

        Raises:
            CoefficientError: unknown name or value out of range.
        """
        return prediction.predict_at(self, inputs, batch_size, coefficients)

    def export(self, filepath, format="tf_saved_model", **kwargs):
        """Exports the network, which takes the coefficients as an input.

        Raises:
            ValueError: on the torch backend, which would lose that input.
        """
        check_export()
        return self.network.export(filepath, format=format, **kwargs)

    def save(self, filepath, *args, **kwargs):
        """Keras' `save`; warns of loss terms that loading will not find.

        Raises:
            ValueError: loss terms that cannot be serialised.
        """
        serialization.check_loss_terms(self.objective.loss_terms)
        return super().save(filepath, *args, **kwargs)

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
            "draw": self.draw,
            "without_term": list(self.without_term),
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for key in ("network", "loss_terms", "coefficients", "scalarization"):
            config[key] = keras.saving.deserialize_keras_object(config[key])
        return cls(**config)


def _check_coefficients(network, coefficients):
    """Compares coefficients with those that a network embeds.

    They may have other laws and lie in narrower ranges, as to train on with.

    Raises:
        CoefficientError: other names, another order, or a range that goes beyond the
            network's, which would be clipped there.
    """
    layers = network._flatten_layers() if hasattr(network, "_flatten_layers") else ()
    for layer in layers:
        if not isinstance(layer, CoefficientEmbedding):
            continue
        known = layer.coefficients
        if known.names != coefficients.names:
            raise CoefficientError(
                f"the network was conditioned on ({', '.join(known.names)}), expected "
                f"these in this order, got ({', '.join(coefficients.names)})"
            )
        for name, (low, high) in coefficients.ranges().items():
            least, most = known.ranges()[name]
            slack = 1e-6 * max(abs(least), abs(most))
            if low < least - slack or high > most + slack:
                raise CoefficientError(
                    f"the network was conditioned on {name} from {least:g} to "
                    f"{most:g}, expected no more than that, got {low:g} to {high:g}"
                )
