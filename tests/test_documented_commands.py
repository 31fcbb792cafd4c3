"""What the README and the guides tell people to type runs, and says nothing wrong.

Each page has a fresh folder with the pictures that it speaks of. Trainings end after
three steps. The Python of the guides is run by `test_docs.py`.
"""

import shlex
import shutil

import numpy as np
import pytest
from documented import PAGES, blocks, commands

from yoto_tf.cli import main
from yoto_tf.data import write_image

# Its pipes need a shell: `tests/cli/test_shell_guide.py` runs it.
PIPES = "docs/shell.md"
SHELL = [
    page
    for page in PAGES
    if page != PIPES and any(block.language == "bash" for block in blocks(page))
]
# What this file and `test_docs.py` run, of a guide and of the README.
RUN = (("bash", "python"), ("bash", "indented python"))
# Written by a command and not looked at again: once is enough.
WRITES_ONLY = ("export",)


@pytest.fixture(scope="module")
def pictures(photograph, tmp_path_factory):
    """The files and folders that the pages name."""
    folder = tmp_path_factory.mktemp("pictures")
    names = ("photo.jpg", "photo.png", "picture.png", "drawing.png", "painting.jpg")
    for name in names:
        write_image(folder / name, photograph[200:264, 200:280])
    write_image(folder / "mask.png", photograph[200:264, 200:280, 0])
    for name, side in (("photos", 300), ("my-pictures", 300), ("other-pictures", 64)):
        (folder / name).mkdir()
        for top in (0, 200):
            crop = photograph[top : top + side, :side]
            write_image(folder / name / f"{top}.png", crop)
    (folder / "digits").mkdir()
    digit = np.zeros((28, 28), "uint8")
    digit[4:24, 12:16] = 255
    write_image(folder / "digits" / "one.png", digit)
    write_image(folder / "digits" / "dash.png", digit.T)
    return folder


@pytest.fixture(scope="module")
def run_before():
    return set()


def arguments(command):
    """Of a command of ours; a training's with three steps."""
    program, *words = shlex.split(command)
    assert program == "yoto", command
    if words[0] == "train":
        if "--steps" in words:
            at = words.index("--steps")
            del words[at : at + 2]
        words[2:2] = ["--steps", "3"]
    return words


@pytest.mark.parametrize("page", SHELL)
def test_commands(page, pictures, run_before, tmp_path, monkeypatch, capfd):
    here = shutil.copytree(pictures, tmp_path / "here")
    monkeypatch.chdir(here)
    for block in blocks(page):
        if block.language != "bash" or block.not_run:
            continue
        for command in commands(block.code):
            words = arguments(command)
            if words[0] in WRITES_ONLY and command in run_before:
                continue
            run_before.add(command)
            status = main(words)
            said = capfd.readouterr()
            where = f"{page}:{block.line}: {command}"
            assert status == 0, f"{where}\n{said.err}"
            assert "Traceback" not in said.err, where
    assert {path.name for path in here.iterdir()} >= {
        path.name for path in pictures.iterdir()
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_or_says_why_not(page, capsys):
    marked = [block for block in blocks(page) if block.not_run]
    for block in blocks(page):
        if block.language == "text":
            assert not block.not_run, f"{page}:{block.line} is no code"
        elif block.language not in RUN[page == "README.md"]:
            assert block.not_run, f"{page}:{block.line} is not run, say why"
    with capsys.disabled():
        for block in marked:
            print(f"\nnot run: {page}:{block.line}: {block.not_run}", end="")


def test_marks_and_kinds_of_blocks(tmp_path, monkeypatch):
    text = """\
Words.

    yoto list  # a comment
    yoto compress a.png \\
        b.yoto

<!-- not run: it takes hours -->

```bash
yoto train a
```

    import yoto_tf

```text
a picture
```
"""
    (tmp_path / "page.md").write_text(text)
    monkeypatch.setattr("documented.ROOT", tmp_path)
    found = blocks("page.md")
    assert [(b.line, b.language, b.not_run) for b in found] == [
        (3, "bash", None),
        (9, "bash", "it takes hours"),
        (13, "indented python", None),
        (15, "text", None),
    ]
    assert commands(found[0].code) == ["yoto list", "yoto compress a.png b.yoto"]
