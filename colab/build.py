"""Makes the notebooks from their texts: python colab/build.py

Each NAME.py is a notebook in the percent format. NAME.ipynb has its cells, a badge that
opens it in Colab, and `first_cell.py`, which installs the package. A cell that did not
change keeps the outputs that it is stored with; `benchmarks/notebooks.py --store` makes
them. But for those the same texts give the same bytes.

The first cell installs from the clone that the notebook lies in or else, as on Colab,
from `REPOSITORY`, the project's home; the badge leads there. For a fork:

    python colab/build.py --repository https://github.com/SOMEBODY/yoto_tf

Any address that `pip install git+ADDRESS` takes will do; a badge is only for GitHub,
since Colab opens notebooks from nowhere else.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

REPOSITORY = "https://github.com/yoto-tf/yoto_tf"
BRANCH = "main"

FOLDER = Path(__file__).parent
NOT_NOTEBOOKS = ("build.py", "first_cell.py")
_GITHUB = "https://github.com/"


def names():
    """The notebooks that there are texts of, sorted."""
    files = [file for file in FOLDER.glob("*.py") if file.name not in NOT_NOTEBOOKS]
    return sorted(file.stem for file in files)


def build(name, repository=REPOSITORY):
    """The content of NAME.ipynb, made from NAME.py, for a repository's address."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    title, *others = jupytext.reads(text, fmt="py:percent").cells
    if repository.startswith(_GITHUB):
        title.source = f"{badge(name, repository)}\n\n{title.source}"
    first = (FOLDER / "first_cell.py").read_text(encoding="utf-8").strip()
    install = nbformat.v4.new_code_cell(first.replace("REPOSITORY", repository))
    notebook = nbformat.v4.new_notebook(
        cells=[title, install, *others],
        metadata={
            "colab": {"provenance": []},
            "kernelspec": {"display_name": "Python 3", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )
    notebook.nbformat_minor = 5
    for cell in notebook.cells:
        cell.source = cell.source.strip("\n")
        # nbformat's own are random.
        cell.id = hashlib.sha256(cell.source.encode()).hexdigest()[:8]
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"


def with_outputs(notebook, stored):
    """The content of a notebook with the outputs that its cells have in another."""
    notebook = nbformat.reads(notebook, as_version=4)
    outputs = {
        cell.id: (cell.outputs, cell.execution_count)
        for cell in nbformat.reads(stored, as_version=4).cells
        if cell.cell_type == "code"
    }
    for cell in notebook.cells:
        if cell.id in outputs:
            cell.outputs, cell.execution_count = outputs[cell.id]
    return nbformat.writes(notebook) + "\n"


def badge(name, repository):
    """Markdown of the button that opens a notebook of a GitHub repository in Colab."""
    path = repository.removeprefix(_GITHUB).removesuffix(".git")
    address = f"https://colab.research.google.com/github/{path}/blob/{BRANCH}"
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})]({address}/colab/{name}.ipynb)"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repository", default=REPOSITORY, metavar="URL")
    repository = parser.parse_args().repository.rstrip("/")
    for name in names():
        notebook, path = build(name, repository), FOLDER / f"{name}.ipynb"
        if path.exists():
            notebook = with_outputs(notebook, path.read_text(encoding="utf-8"))
        path.write_text(notebook, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
