"""Several inputs, folders as outputs, and pipes."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.cli.output import print_failures
from yoto_tf.data import read_image, write_image
from yoto_tf.zoo.conversion import ConversionReport

PROGRAM = "import sys; from yoto_tf.cli import main; sys.exit(main())"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a.png and b.png of 20 × 24 pixels."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    for name in ("a.png", "b.png"):
        write_image(name, random.integers(0, 256, (24, 20, 3), "uint8"))
    return tmp_path


def compress(*arguments):
    return main(["compress", "--lossless", *arguments])


def made(folder="."):
    found = []
    for path, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(path, name), folder) for name in names]
    return sorted(found)


def piped(*arguments, given=b""):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], input=given, capture_output=True
    )


def test_several_files_go_into_a_folder_and_come_back(here, capsys):
    assert compress("a.png", "b.png", "out/") == 0
    assert capsys.readouterr().out.count("out/") == 2
    assert made("out") == ["a.yoto", "b.yoto"]
    assert main(["decompress", "out/a.yoto", "out/b.yoto", "-o", "back"]) == 0
    assert capsys.readouterr().out == (
        "back/a.png: 20 × 24 pixels\nback/b.png: 20 × 24 pixels\n"
    )
    np.testing.assert_array_equal(read_image("back/b.png"), read_image("b.png"))


def test_options_may_stand_between_names(here):
    assert main(["compress", "a.png", "--lossless", "b.png", "--json", "out"]) == 0
    assert main(["compress", "a.png", "--lossless", "c.yoto"]) == 0
    assert made("out") == ["a.yoto", "b.yoto"]
    assert os.path.isfile("c.yoto")


def test_one_file_goes_into_a_folder_that_is_there_or_ends_in_a_slash(here):
    os.mkdir("there")
    assert compress("a.png", "there") == 0
    assert compress("a.png", "-o", "new/") == 0
    assert made("there") == made("new") == ["a.yoto"]


def test_folders_among_several_keep_their_names(here):
    os.makedirs("in/deep")
    write_image("in/deep/a.png", read_image("b.png"))
    assert compress("a.png", "in", "out") == 0
    assert made("out") == ["a.yoto", "in/deep/a.yoto"]


def test_of_several_that_would_make_one_file_the_first_does(here, capsys):
    os.mkdir("in")
    write_image("in/a.png", read_image("b.png"))
    assert compress("a.png", "a.png", "in/a.png", "out") == 1
    assert "in/a.png: out/a.yoto is made of a.png" in capsys.readouterr().err
    assert main(["decompress", "out/a.yoto", "again.png"]) == 0
    np.testing.assert_array_equal(read_image("again.png"), read_image("a.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.png", "b.png"), "b.png is a file, expected a folder for many files"),
        (("a.png", "b.png", "c.yoto"), "c.yoto is to be a file, expected a folder"),
        (("a.png", "none.png", "out"), "no such file or folder: none.png"),
        (("a.png", "-o", "b.png"), "cannot write b.png: expected the suffix .yoto"),
        (("-", "-", "out"), "standard input is given twice"),
        (("-", "."), ". is a folder, expected the name of a file"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, message, here, capsys):
    before = made()
    if arguments == ("a.png", "b.png"):
        arguments = ("a.png", "a.png", "b.png")
    assert compress(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert made() == before


def test_output_is_missing(here, capsys):
    for arguments in (["compress", "a.png"], ["compress", "-o", "a.yoto"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
        assert "the following arguments are required: " in capsys.readouterr().err


def test_several_never_replace_an_input(here, capsys):
    before = {name: Path(name).read_bytes() for name in made()}
    assert main(["stylize", "a.png", "b.png", ".", "--style", "x"]) == 2
    assert "expected another folder to write" in capsys.readouterr().err
    assert {name: Path(name).read_bytes() for name in made()} == before


def test_a_suffix_in_capitals_counts_and_hidden_files_do_not(here):
    assert compress("a.png", "in/") == 0
    Path("in/a.yoto").rename("in/A.YOTO")
    assert compress("b.png", "in/") == 0
    Path("in/b.yoto").rename("in/.b.yoto")
    assert main(["decompress", "in", "out"]) == 0
    assert made("out") == ["A.png"]


def test_pipes_both_ways(here):
    with open("a.png", "rb") as file:
        picture = file.read()
    coded = piped("compress", "--lossless", "-", "-", given=picture)
    assert coded.returncode == 0, coded.stderr
    assert coded.stdout.startswith(b"YOTO")
    assert b" bytes, " in coded.stderr
    decoded = piped("decompress", "-", "-", "--json", given=coded.stdout)
    assert b'"width": 20' in decoded.stderr
    image = Image.open(io.BytesIO(decoded.stdout))
    assert image.format == "PNG"
    np.testing.assert_array_equal(np.asarray(image), read_image("a.png"))
    told = piped("info", "-", given=coded.stdout)
    assert told.stdout.startswith("picture  20 × 24 pixels".encode())


def test_what_is_wrong_with_standard_input_is_said_of_it(here):
    done = piped("compress", "--lossless", "-", "out.yoto", given=b"no picture")
    assert done.returncode == 2
    assert done.stderr == (
        b"yoto: cannot read standard input: not a picture in a known format\n"
    )
    assert not os.path.exists("out.yoto")


def test_a_terminal_gets_no_data(here, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert compress("a.png", "-") == 2
    assert "standard output is a terminal" in capsys.readouterr().err


def test_quiet_says_nothing_but_errors(here, capsys):
    os.mkdir("in")
    write_image("in/a.png", read_image("a.png"))
    open("in/notes.txt", "w").close()
    assert compress("in", "out", "--quiet") == 0
    assert compress("in", "out", "--quiet", "--no-clobber") == 0
    assert capsys.readouterr() == ("", "")
    assert compress("none.png", "out.yoto", "--quiet") == 2
    assert "none.png" in capsys.readouterr().err


def test_verbose_says_that_nothing_is_lost(here, capsys):
    assert compress("a.png", "a.yoto", "--verbose") == 0
    assert capsys.readouterr().out.endswith(", the very same pixels\n")


def test_files_that_are_skipped_are_named(here, capsys):
    os.mkdir("in")
    write_image("in/a.png", read_image("a.png"))
    for name in ("logo.svg", "notes.txt", ".hidden.svg"):
        open(f"in/{name}", "w").close()
    assert compress("in", "out") == 0
    expected = "yoto: skipped, by their suffixes: in/logo.svg, in/notes.txt\n"
    assert capsys.readouterr().err == expected


def test_of_many_that_are_skipped_some_are_named(capsys):
    names = [f"{number}.svg" for number in range(13)]
    print_failures(ConversionReport([], [], [], names))
    error = capsys.readouterr().err
    assert "0.svg, 1.svg" in error
    assert error.endswith("9.svg and 3 more\n")


def test_info_of_many(here, capsys):
    assert compress("a.png", "b.png", "out") == 0
    open("out/c.yoto", "w").close()
    capsys.readouterr()
    assert main(["info", "out", "out/a.yoto"]) == 1
    printed = capsys.readouterr()
    head, *rows = printed.out.splitlines()
    assert head.split()[:4] == ["file", "width", "height", "bytes"]
    assert [row.split()[:3] for row in rows] == [
        ["out/a.yoto", "20", "24"],
        ["out/b.yoto", "20", "24"],
        ["out/a.yoto", "20", "24"],
    ]
    assert printed.err == "yoto: out/c.yoto: not a .yoto file: it is empty\n"
