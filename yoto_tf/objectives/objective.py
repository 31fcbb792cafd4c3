"""The objective of a `LossConditionalModel`."""

import keras
from keras import ops

from yoto_tf.errors import CoefficientError
from yoto_tf.objectives import additional_losses
from yoto_tf.objectives.compiled_terms import weighted_terms
from yoto_tf.objectives.function_terms import FunctionTerms
from yoto_tf.objectives.weighting import Weighting, batch_mean


class Objective(Weighting):
    """All that a model minimises: its weighted terms, and the losses of its layers.

    Args:
        loss_terms: see `FunctionTerms`; None where `compile(loss=...)` brings them.
        coefficients, balance, normalize_weights, scalarization: see `Weighting`.
        without_term: names of coefficients that weigh nothing.
        one_vector: whether a batch has one vector.
    """

    def __init__(
        self,
        loss_terms,
        coefficients,
        balance=None,
        normalize_weights=False,
        scalarization=None,
        without_term=(),
        one_vector=False,
        **kwargs,
    ):
        super().__init__(
            coefficients, balance, normalize_weights, scalarization, **kwargs
        )
        self.loss_terms = loss_terms
        self.without_term = tuple(without_term)
        self.trackers = {}
        self.labels = {}
        self.function = loss_terms and FunctionTerms(
            loss_terms, coefficients.names, one_vector
        )

    def track(self, terms):
        """Names the terms for the log, and tracks those that Keras does not.

        Args:
            terms: their names, not counting losses of layers.
        """
        if self.built:
            return
        read = self.function.read if self.function else ()
        known = {*terms, *read, *self.without_term}
        added = [name for name in self.coefficients.names if name not in known]
        # As Keras names the losses of `compile`.
        compiled = self.function is None
        suffix = "_loss" if compiled else ""
        self.labels = {name: f"{name}{suffix}" for name in [*terms, *added]}
        # Of a single loss Keras logs the total only.
        mine = added if compiled and len(terms) > 1 else self.labels
        self.trackers = {
            name: keras.metrics.Mean(name=self.labels[name]) for name in mine
        }
        self.built = True

    def score(self, inputs, outputs, coefficients, training=None):
        """The scalarised terms [B] and the unweighted ones, of `loss_terms` alone."""
        terms = self.function(inputs, outputs, coefficients)
        self.check(terms, terms)
        if training:
            self.update_averages(terms)
        weights = self.term_weights(terms, coefficients)
        return self.scalarize(terms, weights), terms

    def parts(
        self, batch, outputs, coefficients, additional, compiled, one_vector, training
    ):
        """The losses of a batch, and the terms they are made of.

        Args:
            batch: x, y and sample weights.
            outputs: the network's, for `coefficients` [B, K].
            additional: [(name, loss)] of the network's layers.
            compiled: the model's `TermLosses`, or None.
            one_vector: whether the rows of `coefficients` are known to be equal.
            training: whether averages move and all coefficients must weigh something.

        Returns:
            The weighted terms, a list of none or one scalar; the weighted additional
            losses, a list; the unweighted terms that have a name, as {name: [B] or a
            scalar}.
        """
        inputs, targets, sample_weight = batch
        if self.function is not None:
            terms = values = self.function(inputs, outputs, coefficients)
        elif compiled is not None:
            terms = compiled.terms(targets, outputs, sample_weight)
            values = {name: term.value for name, term in terms.items()}
        else:
            terms = values = {}
        self.track(terms)
        mine = set(self.coefficients.names) - set(terms)
        named = [(name, loss) for name, loss in additional if name in mine]
        sums = {}
        for name, loss in named:
            sums[name] = sums.get(name, 0.0) + ops.sum(ops.cast(loss, "float32"))
        if training:
            self.check(terms, {*terms, *sums})
            self.update_averages({**values, **sums})
        weights = self.term_weights([*terms, *sums], coefficients, one_vector)
        losses = []
        if terms and self.function is not None:
            losses = [batch_mean(self.scalarize(terms, weights))]
        elif terms:
            losses = [weighted_terms(self, terms, weights)]
        added = [
            additional_losses.weighted(name, loss, weights[name])
            if name in mine
            else loss
            for name, loss in additional
        ]
        # As Keras' own: each replica's share.
        share = batch_mean(ops.ones((1,)))
        sums = {name: value * share for name, value in sums.items()}
        return losses, added, {**values, **sums}

    def check(self, terms, weighted):
        """Raises CoefficientError if a coefficient changes nothing."""
        read = self.function.read if self.function else ()
        used = {*weighted, *self.without_term, *read}
        missing = [name for name in self.coefficients.names if name not in used]
        if missing:
            raise CoefficientError(
                f"every coefficient needs a loss term of its name; none for {missing}, "
                f"got terms {sorted(terms)}"
            )
