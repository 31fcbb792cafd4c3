"""The distributions that loss coefficients are drawn from while training.

Each has a `transform`, which is what the network sees of a value (its logarithm or the
value itself), and the moments of the transformed value, by which it is standardised.

Keras is imported where tensors are made. A machine that only checks coefficients and
looks up quantiles, such as the client of a model server, needs none.
"""

import itertools
import math

import numpy as np

from yoto_tf.errors import CoefficientError
from yoto_tf.registered import registered

# Each is accepted with a probability above 0.95, so that all are rejected less often
# than once in 10^10 draws.
_GAMMA_PROPOSALS = 8
# Keeps 0 / 0 away, and changes no other quotient in float32.
_TINY = 1e-30


class _Distribution:
    def __repr__(self):
        given = ", ".join(f"{key}={value}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({given})"

    def place(self, q):
        """`quantile` for a tensor `q`, inside a graph."""
        return self.low + (self.high - self.low) * q

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class _LogRange(_Distribution):
    """A law for the logarithm, which is what the network sees, with 0 < low < high."""

    transform = "log"

    def __init__(self, low, high):
        if not 0 < low < high < math.inf:
            raise CoefficientError(
                f"{type(self).__name__} needs 0 < low < high, "
                f"got low={low}, high={high}"
            )
        self.low, self.high = float(low), float(high)

    def _logarithms(self):
        return math.log(self.low), math.log(self.high)

    def get_config(self):
        return {"low": self.low, "high": self.high}


@registered
class LogUniform(_LogRange):
    """Density proportional to 1/x on [low, high], with 0 < low < high.

    The network sees the standardised logarithm.
    """

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        low, high = self._logarithms()
        return np.exp(low + (high - low) * np.asarray(q))

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        from keras import ops, random

        low, high = self._logarithms()
        return ops.exp(random.uniform(shape, low, high, "float32", seed))

    def place(self, q):
        """`quantile` for a tensor `q`, inside a graph."""
        from keras import ops

        low, high = self._logarithms()
        return ops.exp(low + (high - low) * q)

    def moments(self):
        """Mean and standard deviation of the transformed value."""
        low, high = self._logarithms()
        return (low + high) / 2, (high - low) / math.sqrt(12)


@registered
class LogArcsine(_LogRange):
    """The arcsine law for the logarithm on [log low, log high], with 0 < low < high.

    A quarter of the values lie in the lowest 15 % of that range and a quarter in the
    highest 15 %, where `LogUniform` has 15 % each. Near its ends a network has examples
    on one side only, and needs more of them. Chebyshev's nodes of interpolation follow
    the same law.

    The network sees the standardised logarithm.
    """

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        low, high = self._logarithms()
        return np.exp(low + (high - low) * np.sin(np.asarray(q) * (math.pi / 2)) ** 2)

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        from keras import ops, random

        low, high = self._logarithms()
        angles = random.uniform(shape, 0, math.pi / 2, "float32", seed)
        return ops.exp(low + (high - low) * ops.square(ops.sin(angles)))

    def place(self, q):
        """`quantile` for a tensor `q`, inside a graph."""
        from keras import ops

        low, high = self._logarithms()
        share = ops.square(ops.sin(q * (math.pi / 2)))
        return ops.exp(low + (high - low) * share)

    def moments(self):
        """Mean and standard deviation of the transformed value."""
        low, high = self._logarithms()
        return (low + high) / 2, (high - low) / math.sqrt(8)


@registered
class LogTrapezoidal(_LogRange):
    """A density of the logarithm that falls, or rises, linearly over [low, high].

    Over `LogUniform`'s it is 1 + slope at `low` and 1 − slope at `high`. For a range of
    which one end needs more training than the other.

    Args:
        low: above 0.
        high: above `low`.
        slope: from −1 to 1. 0 is `LogUniform`.

    Raises:
        CoefficientError: other values.

    The network sees the standardised logarithm.
    """

    def __init__(self, low, high, slope):
        super().__init__(low, high)
        if not -1 <= slope <= 1:
            raise CoefficientError(
                f"LogTrapezoidal needs a slope from -1 to 1, got {slope}"
            )
        self.slope = float(slope)

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        low, high = self._logarithms()
        return np.exp(low + (high - low) * self._share(np.asarray(q), np.sqrt))

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        from keras import random

        return self.place(random.uniform(shape, 0, 1, "float32", seed))

    def place(self, q):
        """`quantile` for a tensor `q`, inside a graph."""
        from keras import ops

        low, high = self._logarithms()
        return ops.exp(low + (high - low) * self._share(q, ops.sqrt))

    def moments(self):
        """Mean and standard deviation of the transformed value."""
        low, high = self._logarithms()
        mean = 1 / 2 - self.slope / 6
        deviation = math.sqrt(1 / 3 - self.slope / 6 - mean**2)
        return low + (high - low) * mean, (high - low) * deviation

    def get_config(self):
        return {**super().get_config(), "slope": self.slope}

    def _share(self, q, sqrt):
        """The t in [0, 1] with (1 + slope) t − slope t² = q.

        In the form that divides, since the other subtracts what is nearly equal where
        the slope is near 0.
        """
        steep = 1 + self.slope
        root = sqrt(abs(steep**2 - 4 * self.slope * q))
        return 2 * q / (steep + root + _TINY)


@registered
class Uniform(_Distribution):
    """Constant density on [low, high], with low < high."""

    transform = "identity"

    def __init__(self, low, high):
        if not -math.inf < low < high < math.inf:
            raise CoefficientError(
                f"Uniform needs low < high, got low={low}, high={high}"
            )
        self.low, self.high = float(low), float(high)

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        return self.low + (self.high - self.low) * np.asarray(q)

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        from keras import random

        return random.uniform(shape, self.low, self.high, "float32", seed)

    def moments(self):
        """Mean and standard deviation."""
        return (self.low + self.high) / 2, (self.high - self.low) / math.sqrt(12)

    def get_config(self):
        return {"low": self.low, "high": self.high}


@registered
class Fixed(_Distribution):
    """Always `value`: a coefficient that weighs a term but cannot be turned."""

    transform = "identity"

    def __init__(self, value):
        if not math.isfinite(value):
            raise CoefficientError(f"Fixed needs a finite value, got value={value}")
        self.value = self.low = self.high = float(value)

    def quantile(self, q):
        """`value`, for every `q`."""
        return np.full(np.shape(q), self.value)

    def sample(self, shape, seed):
        """Float32 tensor of `shape`, all `value`."""
        from keras import ops

        del seed
        return ops.full(shape, self.value, dtype="float32")

    def moments(self):
        """`value` and zero."""
        return self.value, 0.0

    def get_config(self):
        return {"value": self.value}


@registered
class Discrete(_Distribution):
    """One of `values` with equal probability.

    Values between the smallest and the largest are accepted at inference: the network
    interpolates.
    """

    transform = "identity"

    def __init__(self, values):
        values = sorted(float(value) for value in values)
        if len(set(values)) < 2 or not all(map(math.isfinite, values)):
            raise CoefficientError(
                f"Discrete needs two or more finite values, got values={values}"
            )
        self.values = values
        self.low, self.high = values[0], values[-1]

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        return np.quantile(self.values, q, method="nearest")

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        from keras import ops, random

        index = random.randint(shape, 0, len(self.values), "int32", seed)
        return ops.take(ops.convert_to_tensor(self.values, "float32"), index)

    def place(self, q):
        """`quantile` for a tensor `q` in [0, 1), inside a graph."""
        from keras import ops

        count = len(self.values)
        index = ops.minimum(ops.cast(q * count, "int32"), count - 1)
        return ops.take(ops.convert_to_tensor(self.values, "float32"), index)

    def moments(self):
        """Mean and standard deviation."""
        return float(np.mean(self.values)), float(np.std(self.values))

    def get_config(self):
        return {"values": self.values}


@registered
class Dirichlet(_Distribution):
    """A density over the whole vector: non-negative coefficients that sum to one.

    Args:
        concentration: the positive parameter of each coefficient, by name:
            `Dirichlet(left=1.2, right=1.2)`. Ones are uniform on the simplex.
    """

    def __init__(self, **concentration):
        if len(concentration) < 2 or not all(
            0 < a < math.inf for a in concentration.values()
        ):
            raise CoefficientError(
                "Dirichlet needs two or more positive concentrations, "
                f"got {concentration}"
            )
        self.concentration = {name: float(a) for name, a in concentration.items()}

    def sample(self, batch_size, seed):
        """Float32 tensor [batch_size, K], each row on the simplex."""
        from keras import ops

        alpha = np.array(list(self.concentration.values()), "float32")
        return ops.softmax(log_gamma(alpha, (batch_size, len(alpha)), seed), axis=-1)

    def moments(self):
        """Means [K] and standard deviations [K] of the marginals."""
        alpha = np.array(list(self.concentration.values()))
        mean = alpha / alpha.sum()
        return mean, np.sqrt(mean * (1 - mean) / (alpha.sum() + 1))

    def at(self, points):
        """Vectors [N, K] for points [N, K − 1] in (0, 1); uniform points give this law.

        By stick breaking: each coefficient takes a share, a beta variate, of what those
        before it leave.
        """
        from scipy.special import betaincinv

        alpha = np.array(list(self.concentration.values()))
        after = alpha[::-1].cumsum()[::-1][1:]
        shares = betaincinv(alpha[:-1], after, points)
        left = np.cumprod(1 - shares, axis=-1)
        before = np.concatenate([np.ones_like(left[:, :1]), left], axis=-1)
        taken = np.concatenate([shares, np.ones_like(left[:, :1])], axis=-1)
        return (before * taken).astype("float32")

    def lattice(self, divisions):
        """The simplex lattice of Das & Dennis (1998): [N, K], steps of 1/divisions."""
        count = len(self.concentration)
        bars = itertools.combinations(range(divisions + count - 1), count - 1)
        rows = [
            np.diff([-1, *positions, divisions + count - 1]) - 1 for positions in bars
        ]
        return np.array(rows, "float32") / divisions

    def get_config(self):
        return dict(self.concentration)


def log_gamma(alpha, shape, seed):
    """Logarithms of gamma variates, whose softmax over a row is a Dirichlet variate.

    `alpha` > 0, a number or tensor, must broadcast to `shape`.

    Keras' own gamma sampler does not compile with XLA on TensorFlow. This one draws a
    variate of alpha + 1 by the rejection method of Marsaglia & Tsang, "A Simple Method
    for Generating Gamma Variables", ACM TOMS 2000, and multiplies it by a uniform
    variate to the power of 1 / alpha, which makes it one of alpha. It works with
    logarithms, since variates of a small alpha underflow.
    """
    from keras import ops, random

    proposals = (_GAMMA_PROPOSALS, *shape)
    alpha = ops.convert_to_tensor(alpha, "float32")
    d = alpha + 2 / 3
    normal = random.normal(proposals, dtype="float32", seed=seed)
    root = 1 + normal / ops.sqrt(9 * d)
    log_cube = 3 * ops.log(ops.maximum(root, 1e-6))
    log_u = ops.log(_positive_uniform(proposals, seed))
    bound = ops.square(normal) / 2 + d * (1 - ops.exp(log_cube) + log_cube)
    accepted = ops.logical_and(root > 0, log_u < bound)
    # The first accepted proposal: earlier ones weigh more, rejected ones nothing.
    weight = ops.arange(_GAMMA_PROPOSALS, 0, -1)
    weight = ops.reshape(weight, (-1, *(1,) * len(shape)))
    first = ops.argmax(ops.cast(accepted, "int32") * weight, axis=0)
    chosen = ops.one_hot(first, _GAMMA_PROPOSALS, axis=0, dtype="float32")
    log_of_more = ops.log(d) + ops.sum(chosen * log_cube, axis=0)
    return log_of_more + ops.log(_positive_uniform(shape, seed)) / alpha


def _positive_uniform(shape, seed):
    from keras import ops, random

    return ops.maximum(random.uniform(shape, dtype="float32", seed=seed), 1e-30)
