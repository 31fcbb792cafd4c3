import json

import pytest
from stylization_seeds import main


def results(path, ratio, *settings, steps=500):
    total = {"one": ratio, "fixed": 1.0, "ratio": ratio}
    found = {
        "recipe": "stylization/small",
        "settings": ["ends=True", *settings],
        "start": "stylization",
        "steps": steps,
        "styles": {"dots": {"totals": {"the photograph": total}}},
    }
    contents = {"model": "abc", "photographs": 24, "against_fixed": found}
    path.write_text(json.dumps(contents))
    return str(path)


def run(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["stylization_seeds.py", *map(str, arguments)])
    main()


def test_the_mean_of_the_seeds(tmp_path, monkeypatch, capsys):
    first = results(tmp_path / "a.json", 1.04)
    second = results(tmp_path / "b.json", 1.08, "seed=7")
    written = tmp_path / "seeds.json"
    run(monkeypatch, first, second, "--results", written)
    assert "+6.0 %  (+4.0, +8.0)" in capsys.readouterr().out
    row = json.loads(written.read_text())["styles"]["dots"]["the photograph"]
    assert row["mean ratio"] == pytest.approx(1.06)
    assert list(row["seeds"]) == ["0", "7"]


def test_other_trainings_do_not_count(tmp_path, monkeypatch, capsys):
    first = results(tmp_path / "a.json", 1.04)
    longer = results(tmp_path / "b.json", 1.08, "seed=7", steps=1500)
    written = tmp_path / "seeds.json"
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, first, longer, "--results", written)
    assert stopped.value.code == 2
    assert "b.json differs in more than the seed" in capsys.readouterr().err
    assert not written.exists()
