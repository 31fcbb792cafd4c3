import pytest

from yoto_tf.cli import main


@pytest.mark.parametrize(
    ("arguments", "has_own"),
    [(["stylization/new_style"], True), (["codec/large"], False), ([], False)],
)
def test_help_shows_what_a_recipe_declares(arguments, has_own, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", *arguments, "--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "--workdir" in text
    assert ("--add-style PAINTING" in text) == has_own


def test_help_of_no_recipe_is_one_line(capsys):
    assert main(["train", "none", "--help"]) == 2
    assert capsys.readouterr().err.startswith("yoto: unknown recipe 'none', expected")


def test_an_option_without_its_value_is_one_line(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "stylization/new_style", "--add-style"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("yoto: argument --add-style: expected one argument")
    assert error.count("\n") == 1


def test_other_commands_take_no_further_options(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["list", "--add-style", "x"])
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert error == "yoto: unrecognized arguments: --add-style x (see yoto --help)\n"
