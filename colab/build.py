"""Makes the notebooks from their texts: python colab/build.py

Each NAME.py is a notebook in the percent format. NAME.ipynb has its cells, a badge that
opens it in Colab, and `first_cell.py`, which installs the package. No outputs are
stored, and the same texts give the same bytes.
"""

import hashlib
import sys
from pathlib import Path

import jupytext
import nbformat

# Where the notebooks install the package from, and where Colab finds them.
REPOSITORY = "https://github.com/yoto-tf/yoto_tf"
BRANCH = "main"

FOLDER = Path(__file__).parent
NOT_NOTEBOOKS = ("build.py", "first_cell.py")


def names():
    """The notebooks that there are texts of, sorted."""
    files = [file for file in FOLDER.glob("*.py") if file.name not in NOT_NOTEBOOKS]
    return sorted(file.stem for file in files)


def build(name):
    """The content of NAME.ipynb, made from NAME.py."""
    text = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
    title, *others = jupytext.reads(text, fmt="py:percent").cells
    title.source = f"{badge(name)}\n\n{title.source}"
    first = (FOLDER / "first_cell.py").read_text(encoding="utf-8").strip()
    install = nbformat.v4.new_code_cell(first.replace("REPOSITORY", REPOSITORY))
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


def badge(name):
    """Markdown of the button that opens a notebook in Colab."""
    path = REPOSITORY.removeprefix("https://github.com/")
    address = f"https://colab.research.google.com/github/{path}/blob/{BRANCH}"
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})]({address}/colab/{name}.ipynb)"


def main():
    for name in names():
        (FOLDER / f"{name}.ipynb").write_text(build(name), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
