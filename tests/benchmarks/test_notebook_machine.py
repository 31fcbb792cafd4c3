"""`benchmarks/notebooks.py`, on the Python that runs the tests."""

import sys

import nbclient
import nbformat
import pytest
from notebooks import Machine, built, measure, shorten

BUSY = "import sys\n!{sys.executable} -c 'sum(range(10**8))'"
PICTURE = "from PIL import Image\nImage.new('RGB', (9, 9))"


def notebook(*sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A title"), *cells]
    )


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "")
    return Machine(sys.executable, tmp_path)


def test_seconds_and_pictures_of_notebooks(machine, tmp_path):
    notebooks = {
        "pictures": notebook("'ready'", PICTURE, "import time; time.sleep(2)", PICTURE),
        "none": notebook("'ready'", "open('a file', 'w').close()", BUSY),
    }
    results = measure(machine, notebooks)
    rows = results["notebooks"]
    assert {name: row["pictures"] for name, row in rows.items()} == {
        "pictures": 2,
        "none": 0,
    }
    assert rows["pictures"]["seconds"] >= 2
    assert rows["none"]["processor_seconds"] > 1
    assert results["installation"]["restart"] == []
    assert results["versions"]["python"] == sys.version.split()[0]
    assert notebooks["pictures"].cells[2].outputs
    # Each had a folder of its own, which is gone.
    assert not list(tmp_path.rglob("a file"))


def test_a_session_has_numpy_in_use_and_may_need_a_restart(machine):
    source = "import sys\nassert 'numpy' in sys.modules\nraise SystemExit({!r})"
    message = "RESTART NEEDED: choose. Replaced while in use: numpy, pillow."
    installation = machine.install(notebook(source.format(message), "1 / 0"))
    assert installation["restart"] == ["numpy", "pillow"]
    with pytest.raises(RuntimeError, match="the installation fails: division by zero"):
        machine.install(notebook("1 / 0"))
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivision"):
        machine.run(notebook("1 / 0"))


def test_short_settings_are_those_of_the_cells():
    cell = nbformat.v4.new_code_cell("STEPS = 300", metadata={"short": "STEPS = 2"})
    cells = shorten(nbformat.v4.new_notebook(cells=[cell, *notebook("1").cells])).cells
    assert [cell.source for cell in cells] == ["STEPS = 2", "# A title", "1"]


def test_all_notebooks_are_built_for_a_repository():
    notebooks = built("file:///some/clone")
    assert len(notebooks) == 6
    for made in notebooks.values():
        assert "git+file:///some/clone" in made.cells[1].source
