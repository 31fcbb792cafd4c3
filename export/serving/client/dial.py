"""The coefficients of a served model, without Keras."""

import difflib
import math

import numpy as np

from yoto_tf.errors import CoefficientError

# Relative slack for values that went through float32 on their way to validation.
_TOLERANCE = 1e-5


class Dial:
    """Names, ranges and quantiles, as `yoto_tf.Coefficients` has them.

    Args:
        release: a `Release` of a model.

    Attributes:
        ranges: {name: (low, high)}, in the order of the vector.
    """

    def __init__(self, release):
        self.ranges = release.ranges
        self._distributions = release.config["config"]["coefficients"]["config"]

    def vector(self, **values):
        """The raw vector [K], float32, of named values; others take their middle.

        Raises:
            CoefficientError: an unknown name, or a value out of range.
        """
        for name in values:
            if name not in self.ranges:
                near = difflib.get_close_matches(name, self.ranges, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                raise CoefficientError(
                    f"unknown coefficient {name!r}, expected "
                    f"{', '.join(self.ranges)}.{hint}"
                )
        middle = zip(self.ranges, self.at(0.5), strict=True)
        return self.validate([values.get(name, value) for name, value in middle])

    def at(self, q):
        """The vector [K] in which every coefficient stands at its quantile `q`.

        Raises:
            CoefficientError: outside [0, 1].
        """
        if not 0 <= q <= 1:
            raise CoefficientError(f"quality lies in [0, 1], got {q:g}")
        row = [_quantile(self._distributions[name], q) for name in self.ranges]
        return np.array(row, "float32")

    def validate(self, values):
        """Checks a raw vector [K] and returns it as float32.

        Raises:
            CoefficientError: wrong count, not a number, or out of the trained range.
        """
        try:
            vector = np.asarray(values, "float32")
        except (TypeError, ValueError, OverflowError):
            raise CoefficientError(
                f"coefficients must be numbers, got {values!r}"
            ) from None
        if vector.shape != (len(self.ranges),):
            raise CoefficientError(
                f"expected {len(self.ranges)} coefficient(s) "
                f"({', '.join(self.ranges)}), got shape {vector.shape}"
            )
        for (name, (low, high)), value in zip(self.ranges.items(), vector, strict=True):
            lowest = low - _TOLERANCE * abs(low)
            highest = high + _TOLERANCE * abs(high)
            if not lowest <= value <= highest:
                raise CoefficientError(
                    f"coefficient {name} = {value:g} is outside its range "
                    f"[{low:g}, {high:g}]"
                )
        return vector


def _quantile(distribution, q):
    """The quantile of a serialised distribution of `yoto_tf.distributions`."""
    config = distribution["config"]
    match distribution["class_name"]:
        case "LogUniform":
            low, high = math.log(config["low"]), math.log(config["high"])
            return np.exp(low + (high - low) * q)
        case "LogArcsine":
            low, high = math.log(config["low"]), math.log(config["high"])
            return np.exp(low + (high - low) * math.sin(q * math.pi / 2) ** 2)
        case "Uniform":
            return config["low"] + (config["high"] - config["low"]) * q
        case "Fixed":
            return config["value"]
        case "Discrete":
            return np.quantile(config["values"], q, method="nearest")
        case kind:
            raise CoefficientError(f"a client has no dial for coefficients of {kind}")
