"""One network with a dial against many without: what is lost and what is saved."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from yoto_tf.errors import RecipeError
from yoto_tf.machine.atomic_files import write_atomically
from yoto_tf.tradeoff import Sweep, plots, regret, sweep
from yoto_tf.training import engine
from yoto_tf.training.recipe import Recipe


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What `compare` measured; `print` shows it as a table.

    Attributes:
        one: the network with a dial, at N vectors of coefficients.
        many: N networks, each at the vector it was trained for.
        one_parameters: numbers in the network with a dial.
        many_parameters: in each of the others.
        one_hours: wall-clock hours its training took.
        many_hours: those of each of the others.
    """

    one: Sweep
    many: Sweep
    one_parameters: int
    many_parameters: list[int]
    one_hours: float
    many_hours: list[float]

    def regret(self) -> np.ndarray:
        """How much larger the one network's weighted sum is, in percent [N]."""
        return regret(self.one, self.many)

    def table(self) -> list[dict[str, float]]:
        """A flat dict for each vector: what `pandas.DataFrame` takes.

        The one network's values have the names that `Sweep.table` gives them, the
        others' end in `_fixed`; `regret` is in percent.
        """
        rows = zip(self.one.table(), self.many.table(), self.regret(), strict=True)
        return [
            one
            | {
                f"{name}_fixed": value
                for name, value in many.items()
                if not name.endswith("_coefficient")
            }
            | {"regret": float(percent)}
            for one, many, percent in rows
        ]

    def __str__(self):
        names = [*self.one.coefficients[0]]
        values = [*self.one.terms[0], *self.one.metrics[0], "total"]
        header = [f"{name}_coefficient" for name in names] + ["regret %"]
        header[-1:-1] = [text for name in values for text in (name, "fixed")]
        lines = [header]
        for row in self.table():
            cells = [row[f"{name}_coefficient"] for name in names]
            for name in values:
                cells += [row[name], row[f"{name}_fixed"]]
            lines.append([f"{cell:.4g}" for cell in cells] + [f"{row['regret']:+.2f}"])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        table = ["  ".join(map(str.rjust, line, widths)) for line in lines]
        return "\n".join([*table, "", self._saving()])

    def _saving(self):
        parameters, hours = sum(self.many_parameters), sum(self.many_hours)
        return (
            f"one network: {self.one_parameters:,} parameters, "
            f"{self.one_hours:.2f} hours; {len(self.many)} fixed networks: "
            f"{parameters:,} parameters, {hours:.2f} hours; saved: "
            f"{100 * (1 - self.one_parameters / parameters):.0f} % of the parameters, "
            f"{100 * (1 - self.one_hours / hours):.0f} % of the hours"
        )

    def to_json(self, path: str | os.PathLike) -> None:
        """Writes the comparison to a file."""
        content = json.dumps(dataclasses.asdict(self), indent=2) + "\n"
        write_atomically(path, content.encode())

    @classmethod
    def from_json(cls, path: str | os.PathLike) -> "Comparison":
        """Reads what `to_json` wrote."""
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        sweeps = {name: Sweep(**fields.pop(name)) for name in ("one", "many")}
        return cls(**sweeps, **fields)

    def plot(self, path: str | os.PathLike) -> None:
        """Draws the fronts and the regret to a `.png`, `.svg` or `.pdf` file."""
        plots.comparison(path, self.one, self.many, self.regret())


def compare(
    recipe: Recipe,
    vectors,
    data: str | Iterable | None,
    evaluation: Iterable | dict,
    workdir: str | os.PathLike,
    metrics: Callable | None = None,
) -> Comparison:
    """Trains one network with a dial and one for each vector, and compares them.

    All follow the same recipe: as many steps, on the same data. Trainings that have
    ended are not repeated, so an interrupted comparison carries on when called again.

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
    recipes = _fixed_recipes(recipe, vectors)
    one = _train(recipe, data, workdir / "one")
    grid = [fixed.fixed for fixed in recipes]
    points = sweep(one.model, evaluation, grid, metrics)
    many = Sweep([], [], [])
    many_parameters, many_hours = [], []
    for fixed in recipes:
        name = "fixed-" + "-".join(f"{value:g}" for value in fixed.fixed)
        trained = _train(fixed, data, workdir / name)
        many += sweep(trained.model, evaluation, fixed.fixed, metrics)
        many_parameters.append(trained.model.network.count_params())
        many_hours.append(trained.seconds / 3600)
    return Comparison(
        points,
        many,
        one.model.network.count_params(),
        many_parameters,
        one.seconds / 3600,
        many_hours,
    )


def _fixed_recipes(recipe, vectors):
    """The recipe at each vector, checked before anything is trained."""
    vectors = np.atleast_2d(recipe.build().coefficients.validate(vectors))
    recipes = [
        dataclasses.replace(recipe, fixed=tuple(vector.tolist())) for vector in vectors
    ]
    held = recipes[0].build().coefficients.ranges()
    if any(low != high for low, high in held.values()):
        raise RecipeError(
            f"{type(recipe).__name__}.build trains for a range although `fixed` is "
            "given: it must take what self.training_coefficients returns"
        )
    return recipes


def _train(recipe, data, folder):
    trained = engine.train(recipe, data, folder, resume=True)
    if not trained.finished:
        raise RecipeError(
            f"{folder} stopped at step {trained.step} of {recipe.steps}: call again to "
            "carry on"
        )
    return trained
