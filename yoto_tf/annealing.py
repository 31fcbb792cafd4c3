"""A law for coefficients that changes while training goes on."""

import math

from yoto_tf.distributions import (
    Dirichlet,
    Discrete,
    LogArcsine,
    LogTrapezoidal,
    LogUniform,
    Uniform,
    log_gamma,
)
from yoto_tf.errors import CoefficientError
from yoto_tf.registered import deserialize, registered, serialize

_RANGED = (LogUniform, LogArcsine, LogTrapezoidal, Uniform, Discrete, Dirichlet)


@registered
class Annealed:
    """A law that draws from its middle at first and from its corners at last.

    At a progress t of the training, from 0 to 1, with f = start + t · (end − start):

    - A `Dirichlet` law has f times its concentrations.
    - Any other law is drawn at a quantile that follows Beta(f, f). With f = 1 that is
      the law itself; a large f stays near its median, a small one near its two ends.

    The network first learns one good compromise, then how others differ from it. Only
    the draws of a training are annealed: ranges, quantiles and moments, and draws
    without a progress, as in validation, are those of `law`. It cannot be stratified.

    Args:
        law: any with a range: `LogUniform`, `LogArcsine`, `LogTrapezoidal`, `Uniform`,
            `Discrete` or `Dirichlet`.
        start: the factor in the beginning, > 0.
        end: the factor in the end, > 0.

    Raises:
        CoefficientError: another law, or a factor that is not positive.

    Example:
        >>> coefficients = Coefficients(Annealed(Dirichlet(left=1, right=1)))

    Reference: Dimitriadis et al., "Pareto Low-Rank Adapters: Efficient Multi-Task
    Learning with Preferences" (PaLoRA), ICLR 2025, with an end of 0.001.
    """

    def __init__(self, law, start=4.0, end=0.5):
        if not isinstance(law, _RANGED):
            raise CoefficientError(
                f"Annealed needs a law with a range, such as Uniform(0, 1), got {law!r}"
            )
        if not (0 < start < math.inf and 0 < end < math.inf):
            raise CoefficientError(
                f"Annealed needs start > 0 and end > 0, got start={start}, end={end}"
            )
        self.law, self.start, self.end = law, float(start), float(end)

    @property
    def transform(self):
        return self.law.transform

    @property
    def low(self):
        return self.law.low

    @property
    def high(self):
        return self.law.high

    @property
    def concentration(self):
        return self.law.concentration

    def quantile(self, q):
        return self.law.quantile(q)

    def moments(self):
        return self.law.moments()

    def at(self, points):
        return self.law.at(points)

    def lattice(self, divisions):
        return self.law.lattice(divisions)

    def sample(self, shape, seed, progress=None):
        """Draws values.

        Args:
            shape: as for `law`: a shape; for a `Dirichlet` the number of rows.
            seed: a `keras.random.SeedGenerator`.
            progress: how much of the training is over, a number or scalar tensor in
                [0, 1]; None for the law itself.

        Returns:
            Float32 tensor of `shape`, or [shape, K].
        """
        if progress is None:
            return self.law.sample(shape, seed)
        from keras import ops

        progress = ops.clip(ops.cast(progress, "float32"), 0.0, 1.0)
        factor = self.start + progress * (self.end - self.start)
        if isinstance(self.law, Dirichlet):
            alpha = ops.convert_to_tensor([*self.concentration.values()], "float32")
            variates = log_gamma(factor * alpha, (shape, len(self.concentration)), seed)
            return ops.softmax(variates, axis=-1)
        variates = log_gamma(factor, (*shape, 2), seed)
        return self.law.place(ops.softmax(variates, axis=-1)[..., 0])

    def get_config(self):
        return {"law": serialize(self.law), "start": self.start, "end": self.end}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "law": deserialize(config["law"])})
