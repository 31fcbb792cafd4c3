"""Choosing coefficients that meet a constraint."""

import dataclasses
import functools
import operator
import re
from collections.abc import Callable, Iterable

import keras

from yoto_tf.errors import CoefficientError, YotoError
from yoto_tf.tradeoff.sweeps import Sweep, sweep

_CONSTRAINT = re.compile(r"\s*(\w+)\s*(<=|>=|≤|≥)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*")


@dataclasses.dataclass(frozen=True)
class Found:
    """The coefficients that `find` chose.

    Attributes:
        coefficients: their raw values, by name.
        values: the means of the loss terms and metrics there, by name.
        tried: every point that was evaluated, in the order they were.
    """

    coefficients: dict[str, float]
    values: dict[str, float]
    tried: Sweep


def find(
    model: keras.Model,
    data: Iterable | dict,
    *,
    minimise: str,
    subject_to: str,
    coefficient: str | None = None,
    metrics: Callable | None = None,
    evaluations: int = 12,
    **others: float,
) -> Found:
    """The value of one coefficient at which a term is least, under a bound on another.

    Bisects the coefficient's range, on the scale it was trained on, for the bound.

    Args:
        model: a `LossConditionalModel`.
        data: validation data as for `sweep`, gone through at every evaluation.
        minimise: a loss term or metric.
        subject_to: a bound on another, `"kl <= 20"` or `"psnr >= 34"`. Over the range
            of the coefficient the bounded one must rise, or fall, throughout.
        coefficient: which to choose; may be left out if only one is not fixed.
        metrics: see `sweep`.
        evaluations: passes through the data at most, 2 or more.
        **others: values of the other coefficients; unnamed ones take their middle.

    Raises:
        CoefficientError: no such coefficient, or one that cannot vary by itself.
        YotoError: a bound of another form, an unknown term, or a bound out of reach;
            the message names the range that is reached.

    Example:
        >>> find(model, data, minimise="rate", subject_to="psnr >= 34").coefficients
        {'distortion': 0.0217}
    """
    match = _CONSTRAINT.fullmatch(subject_to)
    if match is None:
        raise YotoError(f"expected a constraint such as 'kl <= 20', got {subject_to!r}")
    term, sense, bound = match[1], match[2], float(match[3])
    at_most = sense in ("<=", "≤")
    name, distribution = _free(model.coefficients, coefficient)
    tried = []

    def constrained(position):
        value = float(distribution.quantile(position))
        vector = model.coefficients.vector(**{**others, name: value})
        point = sweep(model, data, vector, metrics)
        tried.append(point)
        return point.points(term, minimise)[0, 0]

    search(
        constrained,
        0.0,
        1.0,
        **{"at_most" if at_most else "at_least": bound},
        evaluations=evaluations,
        name=term,
    )
    everything = functools.reduce(operator.add, tried)
    allowed = [
        (least, index)
        for index, (value, least) in enumerate(everything.points(term, minimise))
        if (value <= bound if at_most else value >= bound)
    ]
    best = min(allowed)[1]
    values = {**everything.terms[best], **everything.metrics[best]}
    return Found(everything.coefficients[best], values, everything)


def search(
    function: Callable[[float], float],
    low: float,
    high: float,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    evaluations: int = 16,
    tolerance: float = 0.0,
    name: str = "the value",
) -> float:
    """Where a monotone function comes nearest to a bound without breaking it.

    Bisection: the answer lies within (high − low) / 2^(evaluations − 2) of the best one
    if the bound is met at one end of the interval only, else it is an end.

    Args:
        function: of a float in [low, high], rising or falling throughout.
        low, high: the interval.
        at_most, at_least: the bound, one of the two.
        evaluations: calls of the function at most, 2 or more.
        tolerance: how near to the bound a value ends the search.
        name: what the function returns, for the error.

    Returns:
        An argument at which the function was called and the bound holds.

    Raises:
        YotoError: the bound is met at neither end; the message names the values there.
        ValueError: not one bound, or fewer than 2 evaluations.
    """
    if (at_most is None) == (at_least is None) or evaluations < 2:
        raise ValueError(
            "search needs one bound and 2 evaluations, got "
            f"at_most={at_most}, at_least={at_least}, evaluations={evaluations}"
        )
    bound = at_least if at_most is None else at_most

    def slack(value):
        return value - bound if at_most is None else bound - value

    ends = {argument: function(argument) for argument in (low, high)}
    met = [argument for argument, value in ends.items() if slack(value) >= 0]
    if not met:
        least, most = sorted(ends.values())
        raise YotoError(
            f"{name} {'≥' if at_most is None else '≤'} {bound:g} is out of reach: it "
            f"goes from {least:.4g} to {most:.4g}"
        )
    if len(met) == 2:
        return min(met, key=lambda argument: slack(ends[argument]))
    (inside,) = met
    outside = high if inside == low else low
    nearest = slack(ends[inside])
    for _ in range(evaluations - 2):
        if nearest <= tolerance:
            break
        middle = (inside + outside) / 2
        left = slack(function(middle))
        if left >= 0:
            inside, nearest = middle, left
        else:
            outside = middle
    return inside


def _free(coefficients, name):
    """The name and the distribution of the coefficient to choose."""
    if coefficients.joint is not None:
        raise CoefficientError(
            "coefficients that sum to 1 cannot vary one by one; sweep over their grid"
        )
    ranges = coefficients.ranges()
    free = [key for key, (low, high) in ranges.items() if low < high]
    if name is None and len(free) == 1:
        name = free[0]
    if name not in free:
        raise CoefficientError(
            f"expected the coefficient to choose, one of: {', '.join(free) or 'none'}; "
            f"got {name}"
        )
    return name, coefficients.independent[name]
