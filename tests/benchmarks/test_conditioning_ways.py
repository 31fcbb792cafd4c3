import json

import conditioning_ways
import numpy as np
import pytest
from conditioning_ways import TASKS, Trainings, compare, main, table


def test_smoke_mode(tmp_path, capsys, monkeypatch):
    path = tmp_path / "ways.json"
    main(["--smoke", "--tasks", "denoiser", "--results", str(path)])
    printed = capsys.readouterr().out
    stored = json.loads(path.read_text())
    assert stored["steps"] == 2
    # Uniform is the law of the example.
    assert {key.split("/")[1] for key in stored["trainings"]} >= {
        *("fixed low", "fixed middle", "fixed high"),
        *("film usual", "lora usual", "gate usual"),
    }
    assert len(stored["trainings"]) == 8
    assert printed.count("| denoiser |") == 6
    assert "the best way on average: " in printed

    def train(*arguments):
        raise AssertionError("trained twice")

    monkeypatch.setattr(conditioning_ways, "train", train)
    main(["--smoke", "--tasks", "denoiser", "--results", str(path)])
    assert capsys.readouterr().out == "".join(
        line + "\n" for line in printed.splitlines() if not line.endswith(" s")
    )


@pytest.mark.parametrize("name", ["multi_mnist", "vae"])
def test_a_training_of_each_task(name, tmp_path):
    task = TASKS[name](conditioning_ways.random_data(tmp_path))
    trainings = Trainings(tmp_path / "ways.json", steps=2)
    ratios = trainings.ratios(
        name, task, "lora", "annealed", task.laws["annealed"], [0]
    )
    # Two steps from one start: neither has moved far.
    assert ratios == pytest.approx(np.ones(3), abs=0.1)
    assert task.vectors.shape == (3, len(task.usual))


class Measured:
    """Trainings whose ratios are known."""

    def ratios(self, name, task, how, law, coefficients, seeds):
        return np.array([1.0, 1.1, 1.2]) + {"film": 0.1, "lora": 0.0, "gate": 0.2}[how]


def test_the_best_way_is_compared_over_laws(tmp_path):
    task = TASKS["vae"](conditioning_ways.random_data(tmp_path))
    found, best = compare({"vae": task}, Measured(), [0])
    assert best == "lora"
    assert [law for _, how, law in found if how == "lora"] == [
        *("usual", "uniform", "arcsine", "annealed")
    ]
    assert "| vae | film | usual | +10.0 % | +20.0 % | +30.0 % | +20.0 % |" in table(
        found
    )


def test_the_denoiser_needs_photographs(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--tasks", "denoiser"])
    assert stopped.value.code == 2
    assert "--test-photographs" in capsys.readouterr().err
