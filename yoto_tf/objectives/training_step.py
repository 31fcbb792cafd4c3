"""What happens to a batch between the data and Keras' step."""

import contextlib

import numpy as np
from keras import ops

from yoto_tf.objectives import additional_losses, batches, drawing
from yoto_tf.objectives.weighting import unscaled


class TrainingStep:
    """The methods of `LossConditionalModel` that Keras calls for a batch.

    `call` draws the coefficients and returns them beside the network's outputs, so that
    they reach `compute_loss` and `compute_metrics` on every backend.

    Attributes:
        fixed_vector: a vector [K] that every example gets; None to draw vectors.
            To be set before the first step.
    """

    fixed_vector = None
    validate_at = None
    _evaluating = False
    _fixed = None
    _names_of_own_losses = ()

    def call(self, inputs, training=None):
        if self.objective.function and not isinstance(inputs, dict):
            raise ValueError(batches.ONE_DICT)
        coefficients = batches.given_coefficients(inputs)
        if coefficients is not None:
            return self._run(inputs, coefficients, training)
        size = batches.batch_size_of(inputs)
        if self._at_vectors(inputs):
            return [
                self._pass(inputs, ops.broadcast_to(vector, (size, len(vector))))
                for vector in self.validate_at.vectors
            ]
        coefficients = self._draw(size)
        return self._run(inputs, coefficients, training), coefficients

    def _run(self, inputs, coefficients, training):
        tensors = batches.network_inputs(self.network, inputs, coefficients)
        # Without a compiled step, JAX and torch bring the arrays of the data set.
        tensors = {
            name: ops.convert_to_tensor(value)
            if isinstance(value, np.ndarray)
            else value
            for name, value in tensors.items()
        }
        outputs = self.network(tensors, training=training)
        self._names_of_own_losses = additional_losses.names_of_own(self)
        if self.objective.function and not self.objective.built:
            # What tracks the terms must exist before a step is compiled. A batch
            # without labels, as in predict, has no loss terms and needs none.
            with contextlib.suppress(KeyError):
                terms = self.objective.function(inputs, outputs, coefficients)
                may_add = additional_losses.nameable(self.network)
                self.objective.check(terms, {*terms, *may_add})
                self.objective.track(terms)
                self._track_vectors()
        return outputs

    def _pass(self, inputs, coefficients):
        # Keras clears them where a step begins, not before each call of a network.
        self.network._clear_losses()
        outputs = self._run(inputs, coefficients, training=False)
        return outputs, coefficients, self.network.losses

    def _draw(self, size):
        if self.fixed_vector is not None:
            return ops.broadcast_to(self.fixed_vector, (size, len(self.fixed_vector)))
        if not self._evaluating:
            return self.coefficients.sample(
                size, self.seed_generator, self.draw, self.progress
            )
        if self._fixed is None:
            self._fixed = drawing.fixed_vectors(self.coefficients)
        one_vector = self.draw == "batch"
        return drawing.next_fixed(self._fixed, self.seed_generator, size, one_vector)

    def _at_vectors(self, inputs):
        """Whether a batch is gone through once for each vector of `validate_at`."""
        given = batches.given_coefficients(inputs) is not None
        return self._evaluating and self.validate_at is not None and not given

    def _passes(self, inputs, y_pred):
        """[(outputs, coefficients, additional losses)] of what `call` returned."""
        if self._at_vectors(inputs):
            return y_pred
        coefficients = batches.given_coefficients(inputs)
        if coefficients is None:
            return [(*y_pred, self.losses)]
        coefficients = batches.or_nan(self.coefficients, coefficients)
        return [(y_pred, coefficients, self.losses)]

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        batches.check_batch(self, y, sample_weight)
        given = batches.given_coefficients(x) is not None
        has_one_vector = self.draw == "batch" or self.fixed_vector is not None
        one_vector = self._at_vectors(x) or (has_one_vector and not given)
        totals = []
        for index, one_pass in enumerate(self._passes(x, y_pred)):
            outputs, coefficients, additional = one_pass
            losses, added, terms = self.objective.parts(
                (x, y, sample_weight),
                outputs,
                coefficients,
                additional_losses.named(additional, self._names_of_own_losses),
                self._compile_loss,
                one_vector,
                training,
            )
            losses += [self._aggregate_additional_loss(loss) for loss in added]
            if not losses and training:
                raise ValueError(
                    "there is no loss: expected loss_terms, compile(loss=...), or a "
                    "layer that calls add_loss"
                )
            losses = losses or [ops.zeros(())]
            total = losses[0] if len(losses) == 1 else ops.sum(losses)
            self._track_vectors()
            self._update(index, terms, total, batches.batch_size_of(x))
            totals.append(total)
        return totals[0] if len(totals) == 1 else sum(totals) / len(totals)

    def _track_vectors(self):
        """Makes what is logged at each vector, before the first step is compiled."""
        if self.validate_at is not None and self.objective.built:
            self.validate_at.track(["loss", *self.objective.labels.values()])

    def _update(self, index, terms, total, batch_size):
        values = {
            name: value if len(value.shape) else unscaled(value)
            for name, value in terms.items()
        }
        for name, tracker in self.objective.trackers.items():
            if name in values:
                weight = None if len(values[name].shape) else batch_size
                tracker.update_state(values[name], weight)
        if self.validate_at is not None and self._evaluating:
            labels = self.objective.labels
            logged = {labels[name]: value for name, value in values.items()}
            logged["loss"] = unscaled(total)
            self.validate_at.update(index, logged, batch_size)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        if self._at_vectors(x):
            for outputs, *_ in y_pred:
                results = super().compute_metrics(x, y, outputs, sample_weight)
            return results
        if batches.given_coefficients(x) is None:
            y_pred, _ = y_pred
        return super().compute_metrics(x, y, y_pred, sample_weight)

    @property
    def metrics(self):
        extra = [] if self.validate_at is None else self.validate_at.metrics
        return [*super().metrics, *extra]

    def get_metrics_result(self):
        results = super().get_metrics_result()
        if self.validate_at is None or self._evaluating:
            return results
        hidden = {metric.name for metric in self.validate_at.metrics}
        return {name: value for name, value in results.items() if name not in hidden}

    @contextlib.contextmanager
    def _evaluation(self):
        """A context in which each pass takes the same coefficients.

        Afterwards the training's random numbers go on from where they were.
        """
        state = self.seed_generator.state
        # On torch the array and the variable would share their memory.
        before = ops.convert_to_numpy(state).copy()
        state.assign([0, 0])
        self._evaluating = True
        try:
            yield
        finally:
            self._evaluating = False
            state.assign(before)
