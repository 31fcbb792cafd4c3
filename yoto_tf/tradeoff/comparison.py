"""One network with a dial against many without: what is lost and what is saved."""

import dataclasses
import functools
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from yoto_tf.baking import bake
from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.tradeoff.compared import Comparison
from yoto_tf.tradeoff.sweeps import Sweep, sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import Recipe


@functools.singledispatch
def compare(
    build_model: Callable,
    vectors,
    train: Iterable | dict | tuple,
    val: Iterable | dict | tuple,
    epochs: int = 10,
    metrics: Callable | list | dict | None = None,
    **fit,
) -> Comparison:
    """Trains one network with a dial and one for each vector, and compares them.

    All are trained alike, on the same data and for as many epochs. A dedicated network
    is the same network, but it is only ever given its one vector. What depends on the
    vector alone is then constant: `bake` folds it away, and it does not count as
    parameters.

    The first argument may be a `Recipe` as well: `compare(recipe, vectors, data,
    evaluation, workdir, metrics=None)`, see `compare_recipe`.

    Args:
        build_model: function without arguments that returns a new compiled
            `LossConditionalModel`. It is called for every training.
        vectors: array-like [N, K] of raw coefficients.
        train: what `fit` takes: (x, y), (x, y, sample_weight), a dict, or a data set
            that can be gone through again.
        val: other data, as for `sweep`.
        epochs: of every training.
        metrics: as for `sweep`.
        **fit: passed on to `fit`, such as `batch_size=128`.

    Raises:
        CoefficientError: vectors out of the range of the coefficients, or a model that
            is not a `LossConditionalModel` or not compiled.

    Example:
        >>> found = yoto_tf.compare(build, coefficients.grid(3), train, val, epochs=20)
        >>> print(found)
    """
    fit = {"verbose": 0, **fit, "epochs": epochs}
    arguments = train if isinstance(train, tuple) else (train,)
    names = ("x", "y", "sample_weight")
    given = dict(zip(names, arguments, strict=False))

    def train_at(vector):
        model = build_model()
        _check(model)
        model.fixed_vector = vector
        began = time.monotonic()
        model.fit(**given, **fit)
        return model, time.monotonic() - began

    first = build_model()
    _check(first)
    vectors = np.atleast_2d(first.coefficients.validate(vectors))
    return _compared(train_at, vectors, val, metrics)


@compare.register
def compare_recipe(
    recipe: Recipe,
    vectors,
    data: str | Iterable | None,
    evaluation: Iterable | dict,
    workdir: str | os.PathLike,
    metrics: Callable | None = None,
) -> Comparison:
    """`compare` for a recipe, whose trainings are kept in a folder.

    Trainings that have ended are not repeated, so an interrupted comparison carries on
    when called again.

    Args:
        recipe: its `build` returns a `LossConditionalModel` for the coefficients that
            its `training_coefficients` returns.
        vectors: array-like [N, K] of raw coefficients.
        data: as for `engine.train`: a SPEC, None for the recipe's own, or batches that
            can be gone through again.
        evaluation: finite batches of other data, as for `sweep`.
        workdir: folder of the trainings, `one/` and `fixed-VALUES/`.
        metrics: as for `sweep`.

    Raises:
        CoefficientError: vectors out of the range of the coefficients.
        RecipeError: a training was interrupted or refused, or the recipe's `build` does
            not heed `fixed`.
    """
    workdir = Path(workdir)
    vectors = np.atleast_2d(recipe.build().coefficients.validate(vectors))
    ranges = _with_fixed(recipe, vectors[0]).build().coefficients.ranges()
    if any(low != high for low, high in ranges.values()):
        raise RecipeError(
            f"{type(recipe).__name__}.build trains for a range although `fixed` is "
            "given: it must take what self.training_coefficients returns"
        )

    def train_at(vector):
        if vector is None:
            one, folder = recipe, "one"
        else:
            one = _with_fixed(recipe, vector)
            folder = "fixed-" + "-".join(f"{value:g}" for value in one.fixed)
        found = engine.train(one, data, workdir / folder, resume=True)
        if not found.finished:
            raise RecipeError(
                f"{workdir / folder} stopped at step {found.step} of {recipe.steps}: "
                "call again to carry on"
            )
        return found.model, found.seconds

    return _compared(train_at, vectors, evaluation, metrics)


def _compared(train, vectors, evaluation, metrics):
    """The `Comparison` of what `train` returns for None and for each of the vectors.

    Args:
        train: function of a vector, or of None for a network with a dial. It returns
            the trained model and how many seconds it took.
        vectors, evaluation, metrics: as for `compare_recipe`.
    """
    one, seconds = train(None)
    points = sweep(one, evaluation, vectors, metrics)
    parameters, hours = one.network.count_params(), seconds / 3600
    many, many_parameters, many_hours = Sweep([], [], []), [], []
    for vector in vectors:
        model, seconds = train(vector)
        many += sweep(model, evaluation, vector, metrics)
        many_parameters.append(_parameters(model, vector))
        many_hours.append(seconds / 3600)
    return Comparison(points, many, parameters, many_parameters, hours, many_hours)


def _parameters(model, vector):
    """Parameters of a dedicated network but for those that its vector fixes."""
    if model.fixed_vector is None:
        # The recipe has built the network for its one vector.
        return model.network.count_params()
    try:
        named = dict(zip(model.coefficients.names, vector.tolist(), strict=True))
        return bake(model, **named).count_params()
    except RecipeError:
        return model.network.count_params()


def _with_fixed(recipe, vector):
    return dataclasses.replace(recipe, fixed=tuple(vector.tolist()))


def _check(model):
    if not hasattr(model, "coefficients"):
        raise CoefficientError(
            "compare expects build_model to return a LossConditionalModel, got a "
            f"{type(model).__name__}"
        )
    if not model.compiled:
        raise CoefficientError(
            "compare expects build_model to return a compiled model: call compile in it"
        )
