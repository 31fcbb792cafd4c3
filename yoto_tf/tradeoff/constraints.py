"""Choosing coefficients that meet a constraint."""

import dataclasses
import functools
import operator
import re
from collections.abc import Callable, Iterable, Sequence

import keras
import numpy as np

from yoto_tf.errors import CoefficientError, YotoError
from yoto_tf.tradeoff.surrogate import minimise_by_surrogate
from yoto_tf.tradeoff.sweeps import Sweep, check_model, sweep

_CONSTRAINT = re.compile(
    r"\s*(\w+)\s*(<=|>=|≤|≥)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
)


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
    data: Iterable | dict | tuple,
    *,
    minimise: str | None = None,
    maximise: str | None = None,
    subject_to: str | Sequence[str] = (),
    over: str | Sequence[str] | None = None,
    coefficient: str | None = None,
    metrics: Callable | list | dict | None = None,
    evaluations: int | None = None,
    **others: float,
) -> Found:
    """The coefficients with the least, or most, of a term under bounds on others.

    One coefficient under one bound: its range is bisected, on the scale it was trained
    on, for the bound. Otherwise by a surrogate, see `yoto_tf.tradeoff.surrogate`.

    Args:
        model: a `LossConditionalModel`.
        data: validation data as for `sweep`, gone through at every evaluation.
        minimise, maximise: a loss term or metric; one of the two.
        subject_to: bounds on others, one or several: `"kl <= 20"`, `"psnr >= 34"`. For
            a bisection the bounded term must rise, or fall, throughout the range.
        over: the coefficients to choose; may be left out if only one is not fixed. Of
            coefficients that sum to 1, all.
        coefficient: the same for one.
        metrics: see `sweep`.
        evaluations: passes through the data at most, 2 or more; by default 12 for a
            bisection, else 20 for each coefficient.
        **others: values of the other coefficients; unnamed ones take their middle.

    Raises:
        CoefficientError: no such coefficient, or one that cannot vary by itself.
        YotoError: not one term, a bound of another form, an unknown term, or bounds
            that are not reached; names what is.

    Example:
        >>> find(model, data, minimise="rate", subject_to="psnr >= 34").coefficients
        {'distortion': 0.0217}
    """
    if (minimise is None) == (maximise is None):
        raise YotoError(
            "find needs one term, minimise= or maximise=; got "
            f"{minimise} and {maximise}"
        )
    check_model(model, "find")
    term, sign = (maximise, -1) if minimise is None else (minimise, 1)
    bounds = [
        Bound.parse(text)
        for text in ([subject_to] if isinstance(subject_to, str) else subject_to)
    ]
    chosen = _chosen(model.coefficients, coefficient, over)
    _check_others(model.coefficients, chosen, others)
    tried = []

    def value_and_slacks(position):
        vector = _at(model.coefficients, chosen, position, others)
        point = sweep(model, data, vector, metrics)
        tried.append(point)
        values = point.points(term, *(bound.term for bound in bounds))[0]
        slacks = [
            bound.slack(value) for bound, value in zip(bounds, values[1:], strict=True)
        ]
        return sign * values[0], slacks

    if len(chosen) == len(bounds) == 1:
        (bound,) = bounds
        search(
            lambda place: bound.value - bound.sign * value_and_slacks([place])[1][0],
            0.0,
            1.0,
            **{bound.kind: bound.value},
            evaluations=12 if evaluations is None else evaluations,
            name=bound.term,
        )
    else:
        dimensions = len(chosen) - (model.coefficients.joint is not None)
        budget = 20 * len(chosen) if evaluations is None else evaluations
        minimise_by_surrogate(value_and_slacks, dimensions, budget)
    everything = functools.reduce(operator.add, tried)
    best = _best(everything, term, sign, bounds)
    values = {**everything.terms[best], **everything.metrics[best]}
    return Found(everything.coefficients[best], values, everything)


def _best(tried, term, sign, bounds):
    """The number of the best point that meets the bounds."""
    values = tried.points(term, *(bound.term for bound in bounds))
    slacks = [
        [bound.slack(value) for bound, value in zip(bounds, row[1:], strict=True)]
        for row in values
    ]
    allowed = [
        (sign * values[index, 0], index)
        for index, row in enumerate(slacks)
        if all(slack >= 0 for slack in row)
    ]
    if allowed:
        return min(allowed)[1]
    nearest = max(range(len(values)), key=lambda index: min(slacks[index]))
    reached = ", ".join(
        f"{bound.term} = {value:.4g}"
        for bound, value in zip(bounds, values[nearest, 1:], strict=True)
    )
    raise YotoError(
        f"{' and '.join(map(str, bounds))} was not reached in {len(values)} "
        f"evaluations: the nearest has {reached}"
    )


@dataclasses.dataclass(frozen=True)
class Bound:
    """`term <= value`, or `>=`: `kind` is `"at_most"` or `"at_least"`."""

    term: str
    kind: str
    value: float

    @classmethod
    def parse(cls, text):
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            raise YotoError(f"expected a constraint such as 'kl <= 20', got {text!r}")
        kind = "at_most" if match[2] in ("<=", "≤") else "at_least"
        return cls(match[1], kind, float(match[3]))

    @property
    def sign(self):
        return 1 if self.kind == "at_most" else -1

    def slack(self, value):
        """How far inside the bound a value is, negative outside."""
        return self.sign * (self.value - value)

    def __str__(self):
        return f"{self.term} {'≤' if self.sign > 0 else '≥'} {self.value:g}"


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


def _chosen(coefficients, coefficient, over):
    """The names of the coefficients to choose."""
    if coefficient is not None and over is not None:
        raise CoefficientError("give the coefficients to choose once, as over=[...]")
    names = [coefficient] if over is None else over
    names = [names] if isinstance(names, str) else list(names)
    if not names or len(set(names)) < len(names):
        raise CoefficientError(
            f"expected the coefficients to choose, each once, got over={names}"
        )
    if coefficients.joint is not None:
        if set(names) != set(coefficients.names):
            raise CoefficientError(
                "coefficients that sum to 1 cannot vary one by one; give "
                f"over=[{', '.join(coefficients.names)}]"
            )
        return names
    ranges = coefficients.ranges()
    free = [key for key, (low, high) in ranges.items() if low < high]
    if names == [None] and len(free) == 1:
        return free
    for name in names:
        if name not in free:
            raise CoefficientError(
                "expected the coefficient to choose, one of: "
                f"{', '.join(free) or 'none'}; got {name}"
            )
    return names


def _check_others(coefficients, chosen, others):
    """Refuses values of coefficients that are to be chosen or do not exist."""
    for name in others:
        if name in chosen:
            raise CoefficientError(
                f"{name} is to be chosen, expected no value for it, got "
                f"{name}={others[name]:g}"
            )
    if coefficients.joint is None:
        coefficients.vector(**others)
    elif others:
        raise CoefficientError(
            f"expected no coefficient but {', '.join(coefficients.names)}, got "
            f"{', '.join(others)}"
        )


def _at(coefficients, chosen, position, others):
    """The vector [K] at a position in the unit cube of the chosen coefficients."""
    if coefficients.joint is not None:
        return coefficients.joint.at(np.array([position]))[0]
    values = {
        name: float(coefficients.independent[name].quantile(place))
        for name, place in zip(chosen, position, strict=True)
    }
    return coefficients.vector(**{**others, **values})
