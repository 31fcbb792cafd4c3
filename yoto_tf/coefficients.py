"""Named loss coefficients: sampling, validation, grids.

Coefficients are raw values everywhere a user meets them. The transform that a network
sees (a logarithm or the identity, standardised under the training distribution) is
taken inside the graph by :meth:`Coefficients.standardize`. Keras is imported where
tensors are made: names, checks and quantiles of values do not need it.
"""

import difflib
import itertools

import numpy as np

from yoto_tf.annealing import Annealed
from yoto_tf.distributions import (
    Dirichlet,
    Discrete,
    Fixed,
    LogArcsine,
    LogTrapezoidal,
    LogUniform,
    Uniform,
)
from yoto_tf.errors import CoefficientError
from yoto_tf.registered import deserialize, registered, serialize

_INDEPENDENT = (LogUniform, LogArcsine, LogTrapezoidal, Uniform, Fixed, Discrete)

DRAWS = ("example", "batch", "stratified")

# Relative slack for values that went through float32 on their way to validation.
_TOLERANCE = 1e-5


@registered
class Coefficients:
    """The ordered, named coefficients that a loss-conditional model is trained for.

    Args:
        joint: one distribution over the whole vector (`Dirichlet`, also `Annealed`),
            which also names the coefficients; or None.
        **independent: a distribution for each coefficient, by name. Their order is the
            order of the columns of every coefficient tensor.

    Raises:
        CoefficientError: neither or both are given, or something else than a
            distribution.

    Example:
        >>> coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
        >>> coefficients.vector(distortion=0.02)
        array([0.02], dtype=float32)
    """

    def __init__(self, joint=None, **independent):
        if (joint is None) == (not independent):
            raise CoefficientError(
                "Coefficients needs either one joint distribution or a distribution "
                f"for each name, got joint={joint}, names={list(independent)}"
            )
        if joint is not None and not isinstance(_law(joint), Dirichlet):
            raise CoefficientError(
                f"joint must be a Dirichlet distribution, got {joint!r}"
            )
        for name, distribution in independent.items():
            if not isinstance(_law(distribution), _INDEPENDENT):
                raise CoefficientError(
                    f"coefficient {name} needs a distribution such as Fixed(1.0), "
                    f"got {distribution!r}"
                )
        self.joint = joint
        self.independent = independent
        self.names = tuple(independent or joint.concentration)
        self._constants = self._standardization()

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

    @property
    def is_annealed(self):
        """Whether what `sample` draws depends on the progress of the training."""
        laws = (self.joint, *self.independent.values())
        return any(isinstance(law, Annealed) for law in laws)

    def sample(self, batch_size, seed, draw="example", progress=None):
        """Draws a vector for every example.

        Args:
            batch_size: int or scalar int tensor.
            seed: a `keras.random.SeedGenerator`.
            draw: `"example"`, each row by itself; `"batch"`, one vector in all rows; or
                `"stratified"`, every coefficient once in each of `batch_size` parts of
                equal probability, in random order (Latin hypercube sampling; not for
                joint or annealed distributions).
            progress: how much of the training is over, a number or scalar tensor in
                [0, 1], by which `Annealed` distributions change; None for draws without
                annealing.

        Returns:
            Float32 tensor [batch_size, K] of raw values.
        """
        from keras import ops

        self.check_draw(draw)
        if draw == "batch":
            one = self.sample(1, seed, progress=progress)
            return ops.broadcast_to(one, (batch_size, len(self)))
        if self.joint is not None:
            return self.joint.sample(batch_size, seed, **_known(self.joint, progress))
        laws = self.independent.values()
        if draw == "stratified":
            columns = [law.place(_strata(batch_size, seed)) for law in laws]
        else:
            columns = [
                law.sample((batch_size,), seed, **_known(law, progress)) for law in laws
            ]
        return ops.stack(columns, axis=-1)

    def check_draw(self, draw):
        """Raises CoefficientError if `sample` has no such way of drawing."""
        if draw not in DRAWS:
            raise CoefficientError(
                f"draw must be one of {', '.join(DRAWS)}, got {draw!r}"
            )
        if draw == "stratified" and self.joint is not None:
            raise CoefficientError(
                "coefficients that sum to 1 cannot be stratified one by one; "
                "expected draw='example' or 'batch'"
            )
        if draw == "stratified" and self.is_annealed:
            raise CoefficientError(
                "annealed coefficients cannot be stratified; expected draw='example' "
                "or 'batch'"
            )

    def standardize(self, values):
        """What the network sees: log or identity, mean 0 and deviation 1 in training.

        Args:
            values: tensor [B, K] of raw values. Values outside the trained range are
                clipped to it, so that a logarithm of zero cannot occur in a graph.

        Returns:
            Float32 tensor [B, K]; a fixed coefficient gives zeros.

        Raises:
            CoefficientError: the last axis is not K long.
        """
        from keras import ops

        values = ops.cast(values, "float32")
        self._check_count(values.shape)
        *arrays, is_log = self._constants
        low, high, mean, inverse = map(ops.convert_to_tensor, arrays)
        values = ops.clip(values, low, high)
        if is_log.any():
            logs = ops.log(ops.where(is_log, values, 1.0))
            values = logs if is_log.all() else ops.where(is_log, logs, values)
        return (values - mean) * inverse

    def _standardization(self):
        """Float32 arrays [K]: ranges, means and inverse deviations; where to take logs.

        Made once, and not in a graph, which torch would want to compile.
        """
        low, high = np.array(list(self.ranges().values()), "float32").T
        is_log = np.zeros(len(self), bool)
        if self.joint is not None:
            mean, deviation = self.joint.moments()
        else:
            laws = self.independent.values()
            mean, deviation = np.array([law.moments() for law in laws]).T
            is_log = np.array([law.transform == "log" for law in laws])
        inverse = np.divide(
            1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0
        )
        return low, high, mean.astype("float32"), inverse.astype("float32"), is_log

    def vector(self, **values):
        """The raw vector [K], float32, of named values; others take their median.

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

    def rows(self, count, **values):
        """Vectors [count, K] of named values, each one number or an array [count].

        Raises:
            CoefficientError: as `vector` does, or an array of another length.
        """
        first = {name: np.ravel(value)[0] for name, value in values.items()}
        middle = self.vector(**first)
        rows = np.tile(middle, (count, 1))
        for name, value in values.items():
            if np.ndim(value) > 1 or np.size(value) not in (1, count):
                raise CoefficientError(
                    f"coefficient {name} needs one value or one for each of {count} "
                    f"examples, got shape {np.shape(value)}"
                )
            rows[:, self.names.index(name)] = value
        return self.validate(rows)

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
            with np.errstate(over="ignore"):
                array = np.asarray(values, "float32")
        except (TypeError, ValueError, OverflowError):
            raise CoefficientError(
                f"coefficients must be numbers, got {values!r}"
            ) from None
        self._check_count(array.shape)
        for column, (name, (low, high)) in enumerate(self.ranges().items()):
            lowest = low - _TOLERANCE * abs(low)
            highest = high + _TOLERANCE * abs(high)
            for value in array[..., column].reshape(-1):
                if not lowest <= value <= highest:
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

    def _check_count(self, shape):
        if len(shape) not in (1, 2) or shape[-1] not in (len(self), None):
            raise CoefficientError(
                f"expected {len(self)} coefficient(s) ({', '.join(self.names)}) "
                f"in the last axis, got shape {tuple(shape)}"
            )

    def grid(self, points):
        """Evenly spaced vectors [N, K] over the ranges, in the transformed space.

        Args:
            points: values per coefficient, ends included, of which N are all the
                combinations; a discrete coefficient has at most its own values, a
                fixed one has one. For `Dirichlet`, the points along an edge of the
                simplex.

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
        if self.joint is not None:
            return {"joint": serialize(self.joint)}
        return {name: serialize(d) for name, d in self.independent.items()}

    @classmethod
    def from_config(cls, config):
        return cls(**{name: deserialize(value) for name, value in config.items()})


def deserialize_coefficients(serialized):
    """The `Coefficients` in a network's configuration, without Keras.

    Args:
        serialized: a `Coefficients` as Keras serialises it.

    Raises:
        CoefficientError: another object, or one with an invalid distribution.
    """
    try:
        found = deserialize(serialized)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CoefficientError(
            f"expected serialised coefficients, got what cannot be read: {error}"
        ) from error
    if not isinstance(found, Coefficients):
        raise CoefficientError(
            f"expected serialised coefficients, got a {type(found).__name__}"
        )
    return found


def _law(distribution):
    return distribution.law if isinstance(distribution, Annealed) else distribution


def _known(law, progress):
    """The keyword arguments of laws that change with the progress."""
    return {"progress": progress} if isinstance(law, Annealed) else {}


def _strata(count, seed):
    """A random number [count] in each of `count` parts of [0, 1), in random order."""
    from keras import ops, random

    order = ops.argsort(random.uniform((count,), seed=seed))
    inside = random.uniform((count,), seed=seed)
    return (ops.cast(order, "float32") + inside) / ops.cast(count, "float32")
