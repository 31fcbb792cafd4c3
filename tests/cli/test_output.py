"""Nothing that a file, a model or a library says steers the terminal."""

import json

import pytest

from yoto_tf import cli, zoo
from yoto_tf.cli.output import print_failures, print_table, say
from yoto_tf.cli.parser import Parser
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.conversion import ConversionReport
from yoto_tf.zoo.release_summary import Summary

# Red, a line end, a title of the window, and text that turns its direction.
STEERING = "\x1b[31mred\n\x1b]0;title\x07\u202eabc"
ESCAPED = r"\x1b[31mred\n\x1b]0;title\x07\u202eabc"
MODEL_ID = b"8 bytes."


@pytest.fixture
def steering(monkeypatch):
    """Makes a model the one that is installed, all of whose names steer."""
    found = Summary(STEERING, MODEL_ID, (), {STEERING: (0.0, 1.0)}, STEERING, (), 9)
    monkeypatch.setattr(zoo, "summaries", lambda: {STEERING: found})


def test_a_line(capsys):
    say(STEERING)
    assert capsys.readouterr().out == ESCAPED + "\n"


def test_a_table_stays_one(capsys):
    print_table([("model", "bytes"), (STEERING, "1")])
    width = len(ESCAPED)
    assert capsys.readouterr().out == (
        f"{'model'.ljust(width)}  bytes\n{ESCAPED.ljust(width)}      1\n"
    )


def test_failures(capsys):
    failed = [{"input": STEERING, "error": f"{STEERING}: odd"}]
    kept = [{"input": STEERING, "output": STEERING}]
    assert print_failures(ConversionReport([], failed, kept)) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == [
        f"yoto: {ESCAPED} exists and is left as it is",
        f"yoto: {ESCAPED}: odd",
    ]
    assert len(lines) == 3


def test_list(steering, capsys):
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out == (
        f"{ESCAPED}  ({ESCAPED}; {ESCAPED} 0 … 1; 0.0 MB)\n    {ESCAPED}\n"
    )
    assert cli.main(["list", "--json"]) == 0
    output = capsys.readouterr().out
    assert list(json.loads(output)) == [STEERING]
    assert output.replace("\n", "").isprintable()


def test_info(steering, tmp_path, capsys):
    path = tmp_path / "a.yoto"
    path.write_bytes(Container(MODEL_ID, (0.5,), 1, 1, (b"", b"")).to_bytes())
    assert cli.main(["info", str(path)]) == 0
    output = capsys.readouterr().out
    assert f"model    {ESCAPED}, id" in output
    assert f"\n{ESCAPED} = 0.5\n" in output


@pytest.mark.parametrize(
    "error", [OSError(5, STEERING, STEERING), cli.YotoError(STEERING)]
)
def test_errors(error, monkeypatch, capsys):
    def fail(options):
        raise error

    monkeypatch.setattr(cli.info, "run", fail)
    assert cli.main(["info", "a.yoto"]) == 2
    output = capsys.readouterr().err
    assert output.startswith("yoto: ")
    assert ESCAPED in output
    assert output.count("\n") == 1


def test_arguments_and_warnings(capsys):
    parser = Parser(prog="yoto")
    with pytest.raises(SystemExit):
        parser.error(STEERING)
    cli._show_warning(STEERING, UserWarning, "file", 1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith(f"yoto: {ESCAPED}") for line in lines] == [True, True]
