"""How weighted loss terms become the one number that is minimised.

A scalarisation is called with `weights` and `terms`, both {name: float32 [B]} with the
same names, and returns float32 [B].
"""

import keras
from keras import ops

_EPSILON = 1e-8


class _Scalarization:
    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="yoto_tf")
class WeightedSum(_Scalarization):
    """Σ_i w_i · L_i: reaches the convex part of a trade-off's front."""

    def __call__(self, weights, terms):
        return sum(weights[name] * term for name, term in terms.items())

    def get_config(self):
        return {}


@keras.saving.register_keras_serializable(package="yoto_tf")
class Tchebycheff(_Scalarization):
    """max_i w_i · |L_i − z_i|: reaches every point of the front, convex or not.

    At the optimum of a smooth trade-off all w_i · (L_i − z_i) are equal, so that the
    weights set the proportions of the terms. Only the largest one has a gradient.

    Args:
        ideal: {name of a term: z_i}, the least value each could have by itself; terms
            that are not named have 0.

    Reference: Bowman, "On the relationship of the Tchebycheff norm and the efficient
    frontier of multiple-criteria objectives", 1976.
    """

    def __init__(self, ideal=None):
        self.ideal = {name: float(value) for name, value in (ideal or {}).items()}

    def __call__(self, weights, terms):
        unknown = sorted(set(self.ideal) - set(terms))
        if unknown:
            raise ValueError(
                f"`ideal` must name loss terms, which are {sorted(terms)}, "
                f"got {unknown}"
            )
        distances = [
            weights[name] * ops.abs(term - self.ideal.get(name, 0.0))
            for name, term in terms.items()
        ]
        return ops.max(ops.stack(distances, axis=-1), axis=-1)

    def get_config(self):
        return {"ideal": self.ideal}


@keras.saving.register_keras_serializable(package="yoto_tf")
class COSMOS(_Scalarization):
    """Σ_i w_i · L_i − μ · cos(w, L): the weighted sum, drawn towards the weights' ray.

    The cosine of the angle between the vectors of weights and of terms is largest where
    the terms stand in the proportions of their weights; it spreads the solutions over
    the front.

    Args:
        penalty: μ ≥ 0.

    Raises:
        ValueError: a negative penalty.

    Reference: Ruchte & Grabocka, "Scalable Pareto Front Approximation for Deep
    Multi-Objective Learning", ICDM 2021.
    """

    def __init__(self, penalty):
        if penalty < 0:
            raise ValueError(f"penalty must be ≥ 0, got penalty={penalty}")
        self.penalty = float(penalty)

    def __call__(self, weights, terms):
        weights = ops.stack([weights[name] for name in terms], axis=-1)
        terms = ops.stack(list(terms.values()), axis=-1)
        product = ops.sum(weights * terms, axis=-1)
        squares = ops.sum(weights**2, axis=-1) * ops.sum(terms**2, axis=-1)
        # The square root has no gradient at zero.
        cosine = product / ops.sqrt(ops.maximum(squares, _EPSILON**2))
        return product - self.penalty * cosine

    def get_config(self):
        return {"penalty": self.penalty}
