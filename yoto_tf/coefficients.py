"""Named loss coefficients: their distributions, validation, grids.

Coefficients are raw values everywhere a user meets them. The transform that a network
sees (a logarithm or the identity, standardised under the training distribution) is
taken inside the graph by :meth:`Coefficients.standardize`.
"""

import difflib
import itertools
import math

import keras
import numpy as np
from keras import ops

from yoto_tf.errors import CoefficientError

# Relative slack for values that went through float32 on their way to validation.
_TOLERANCE = 1e-5


class _Distribution:
    @classmethod
    def from_config(cls, config):
        return cls(**config)


@keras.saving.register_keras_serializable(package="yoto_tf")
class LogUniform(_Distribution):
    """Density proportional to 1/x on [low, high], with 0 < low < high.

    The network sees the standardised logarithm.
    """

    transform = "log"

    def __init__(self, low, high):
        if not 0 < low < high < math.inf:
            raise CoefficientError(
                f"LogUniform needs 0 < low < high. Received: low={low}, high={high}"
            )
        self.low, self.high = float(low), float(high)

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        low, high = math.log(self.low), math.log(self.high)
        return np.exp(low + (high - low) * np.asarray(q))

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        return ops.exp(
            keras.random.uniform(
                shape, math.log(self.low), math.log(self.high), "float32", seed
            )
        )

    def moments(self):
        """Mean and standard deviation of the transformed value."""
        low, high = math.log(self.low), math.log(self.high)
        return (low + high) / 2, (high - low) / math.sqrt(12)

    def get_config(self):
        return {"low": self.low, "high": self.high}


@keras.saving.register_keras_serializable(package="yoto_tf")
class Uniform(_Distribution):
    """Constant density on [low, high], with low < high."""

    transform = "identity"

    def __init__(self, low, high):
        if not -math.inf < low < high < math.inf:
            raise CoefficientError(
                f"Uniform needs low < high. Received: low={low}, high={high}"
            )
        self.low, self.high = float(low), float(high)

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        return self.low + (self.high - self.low) * np.asarray(q)

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        return keras.random.uniform(shape, self.low, self.high, "float32", seed)

    def moments(self):
        """Mean and standard deviation."""
        return (self.low + self.high) / 2, (self.high - self.low) / math.sqrt(12)

    def get_config(self):
        return {"low": self.low, "high": self.high}


@keras.saving.register_keras_serializable(package="yoto_tf")
class Fixed(_Distribution):
    """Always `value`: a coefficient that takes part in the sum but is no dial."""

    transform = "identity"

    def __init__(self, value):
        if not math.isfinite(value):
            raise CoefficientError(
                f"Fixed needs a finite value. Received: value={value}"
            )
        self.value = self.low = self.high = float(value)

    def quantile(self, q):
        """`value`, for every `q`."""
        return np.full(np.shape(q), self.value)

    def sample(self, shape, seed):
        """Float32 tensor of `shape`, all `value`."""
        del seed
        return ops.full(shape, self.value, dtype="float32")

    def moments(self):
        """`value` and zero."""
        return self.value, 0.0

    def get_config(self):
        return {"value": self.value}


@keras.saving.register_keras_serializable(package="yoto_tf")
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
                f"Discrete needs two or more finite values. Received: values={values}"
            )
        self.values = values
        self.low, self.high = values[0], values[-1]

    def quantile(self, q):
        """The value below which a fraction `q` (array, in [0, 1]) of the mass lies."""
        return np.quantile(self.values, q, method="nearest")

    def sample(self, shape, seed):
        """Float32 tensor of `shape`; `seed` is a `keras.random.SeedGenerator`."""
        index = keras.random.randint(shape, 0, len(self.values), "int32", seed)
        return ops.take(ops.convert_to_tensor(self.values, "float32"), index)

    def moments(self):
        """Mean and standard deviation."""
        return float(np.mean(self.values)), float(np.std(self.values))

    def get_config(self):
        return {"values": self.values}


@keras.saving.register_keras_serializable(package="yoto_tf")
class Dirichlet(_Distribution):
    """A density over the whole vector: non-negative coefficients that sum to one.

    Args:
        concentration: the positive parameter of each coefficient, by name:
            `Dirichlet(left=1.2, right=1.2)`. Ones are uniform on the simplex.
    """

    def __init__(self, **concentration):
        if len(concentration) < 2 or not all(a > 0 for a in concentration.values()):
            raise CoefficientError(
                "Dirichlet needs two or more positive concentrations. "
                f"Received: {concentration}"
            )
        self.concentration = {name: float(a) for name, a in concentration.items()}

    def sample(self, batch_size, seed):
        """Float32 tensor [batch_size, K], each row on the simplex."""
        alpha = ops.convert_to_tensor(list(self.concentration.values()), "float32")
        shape = (batch_size, len(self.concentration))
        gamma = keras.random.gamma(
            shape, ops.broadcast_to(alpha, shape), dtype="float32", seed=seed
        )
        # A small concentration underflows to an all-zero row now and then.
        gamma = ops.maximum(gamma, 1e-30)
        return gamma / ops.sum(gamma, axis=-1, keepdims=True)

    def moments(self):
        """Means [K] and standard deviations [K] of the marginals."""
        alpha = np.array(list(self.concentration.values()))
        mean = alpha / alpha.sum()
        return mean, np.sqrt(mean * (1 - mean) / (alpha.sum() + 1))

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


@keras.saving.register_keras_serializable(package="yoto_tf")
class Coefficients:
    """The ordered, named coefficients that a loss-conditional model is trained for.

    Args:
        joint: one distribution over the whole vector (`Dirichlet`), which also names
            the coefficients; or None.
        **independent: a distribution for each coefficient, by name. Their order is the
            order of the columns of every coefficient tensor.

    Example:
        >>> coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
        >>> coefficients.vector(distortion=0.02)
        array([0.02], dtype=float32)
    """

    def __init__(self, joint=None, **independent):
        if (joint is None) == (not independent):
            raise CoefficientError(
                "Coefficients needs either one joint distribution or a distribution "
                f"for each name. Received: joint={joint}, names={list(independent)}"
            )
        self.joint = joint
        self.independent = independent
        self.names = tuple(independent or joint.concentration)

    def __len__(self):
        return len(self.names)

    def __repr__(self):
        ranges = (
            f"{name}=[{low:g}, {high:g}]" for name, (low, high) in self.ranges().items()
        )
        return f"Coefficients({', '.join(ranges)})"

    def ranges(self):
        """{name: (low, high)}: the closed interval each coefficient was trained on."""
        if self.joint is not None:
            return dict.fromkeys(self.names, (0.0, 1.0))
        return {name: (d.low, d.high) for name, d in self.independent.items()}

    def sample(self, batch_size, seed):
        """Draws a vector for every example.

        Args:
            batch_size: int or scalar int tensor.
            seed: a `keras.random.SeedGenerator`.

        Returns:
            Float32 tensor [batch_size, K] of raw values.
        """
        if self.joint is not None:
            return self.joint.sample(batch_size, seed)
        columns = [d.sample((batch_size,), seed) for d in self.independent.values()]
        return ops.stack(columns, axis=-1)

    def standardize(self, values):
        """What the network sees: log or identity, mean 0 and deviation 1 in training.

        Args:
            values: tensor [B, K] of raw values. Values outside the trained range are
                clipped to it, so that a logarithm of zero cannot occur in a graph.

        Returns:
            Float32 tensor [B, K]; a fixed coefficient gives zeros.
        """
        values = ops.cast(values, "float32")
        ranges = np.array(list(self.ranges().values()), "float32")
        values = ops.clip(values, ranges[:, 0], ranges[:, 1])
        if self.joint is not None:
            mean, deviation = self.joint.moments()
        else:
            moments = [d.moments() for d in self.independent.values()]
            mean, deviation = np.array(moments).T
            is_log = np.array(
                [d.transform == "log" for d in self.independent.values()]
            )
            if is_log.any():
                logs = ops.log(ops.where(is_log, values, 1.0))
                values = ops.where(is_log, logs, values)
        inverse = np.divide(
            1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0
        )
        return (values - mean.astype("float32")) * inverse.astype("float32")

    def vector(self, **values):
        """The raw vector [K], float32, of named values; others take their middle.

        Raises:
            CoefficientError: a name that does not exist, or a value out of range.
        """
        for name in values:
            if name not in self.names:
                near = difflib.get_close_matches(name, self.names, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise CoefficientError(
                    f"unknown coefficient {name!r}, expected "
                    f"{', '.join(self.names)}.{hint}"
                )
        if self.joint is not None and set(values) not in (set(), set(self.names)):
            raise CoefficientError(
                f"these coefficients sum to 1, so each must be given: "
                f"{', '.join(self.names)}; got only {', '.join(values)}"
            )
        middle = self.at(0.5)
        row = [values.get(name, m) for name, m in zip(self.names, middle, strict=True)]
        return self.validate(row)

    def at(self, q):
        """The vector [K] in which every coefficient stands at its quantile `q`.

        For a joint distribution only the middle (q = 0.5) is defined: its mean.
        """
        if not 0 <= q <= 1:
            raise CoefficientError(f"a quantile lies in [0, 1], got {q:g}")
        if self.joint is not None:
            if q != 0.5:
                raise CoefficientError(
                    "coefficients that sum to 1 have no common dial; give each by name"
                )
            return self.joint.moments()[0].astype("float32")
        return np.array([d.quantile(q) for d in self.independent.values()], "float32")

    def validate(self, values):
        """Checks raw values and returns them as a float32 array of the same shape.

        Args:
            values: array-like [K] or [B, K].

        Raises:
            CoefficientError: wrong count, not a number, out of the trained range, or,
                for a joint distribution, not summing to one. Names the coefficient,
                its range and the value.
        """
        try:
            array = np.asarray(values, "float32")
        except (TypeError, ValueError):
            raise CoefficientError(
                f"coefficients must be numbers, got {values!r}"
            ) from None
        if array.ndim not in (1, 2) or array.shape[-1] != len(self):
            raise CoefficientError(
                f"expected {len(self)} coefficient(s) ({', '.join(self.names)}) "
                f"in the last axis, got shape {array.shape}"
            )
        for column, (name, (low, high)) in enumerate(self.ranges().items()):
            slack = _TOLERANCE * max(abs(low), abs(high))
            for value in array[..., column].reshape(-1):
                if not low - slack <= value <= high + slack:
                    raise CoefficientError(
                        f"coefficient {name} = {value:g} is outside its range "
                        f"[{low:g}, {high:g}]"
                    )
        if self.joint is not None and not np.allclose(array.sum(-1), 1, atol=1e-4):
            raise CoefficientError(
                f"coefficients {', '.join(self.names)} must sum to 1, "
                f"got {array.tolist()}"
            )
        return array

    def grid(self, points):
        """Evenly spaced vectors [N, K] over the ranges, in the transformed space.

        Args:
            points: values per coefficient, ends included; N is `points` to the number
                of coefficients that are not fixed. For `Dirichlet`, the points along
                an edge of the simplex.

        Raises:
            CoefficientError: fewer than two points.
        """
        if points < 2:
            raise CoefficientError(f"a grid needs 2 or more points, got {points}")
        if self.joint is not None:
            return self.joint.lattice(points - 1)
        axes = [
            np.unique(d.quantile(np.linspace(0, 1, points)))
            for d in self.independent.values()
        ]
        return np.array(list(itertools.product(*axes)), "float32")

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        if self.joint is not None:
            return {"joint": serialize(self.joint)}
        return {name: serialize(d) for name, d in self.independent.items()}

    @classmethod
    def from_config(cls, config):
        deserialize = keras.saving.deserialize_keras_object
        return cls(**{name: deserialize(value) for name, value in config.items()})
