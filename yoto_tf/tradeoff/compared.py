"""What a comparison found: what a dial loses and what it saves."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np

from yoto_tf.tradeoff import plots
from yoto_tf.tradeoff.sweeps import Sweep, regret
from yoto_tf.tradeoff.tables import Results


@dataclasses.dataclass(frozen=True)
class Comparison(Results):
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
        """A flat dict for each vector.

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

    @classmethod
    def from_json(cls, path: str | os.PathLike) -> "Comparison":
        """Reads what `to_json` wrote."""
        fields = json.loads(Path(path).read_text(encoding="utf-8"))
        sweeps = {name: Sweep(**fields.pop(name)) for name in ("one", "many")}
        return cls(**sweeps, **fields)

    def plot(self, path: str | os.PathLike) -> None:
        """Draws the fronts and the regret to a `.png`, `.svg` or `.pdf` file."""
        plots.comparison(path, self.one, self.many, self.regret())
