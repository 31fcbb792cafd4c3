"""What every subcommand's help has in common, and the scripts for shells."""

import shutil
import subprocess

import pytest

from yoto_tf.cli import build_parser, main

COMMANDS = build_parser()._subparsers._group_actions[0].choices


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_with_a_value_states_its_default(name):
    parser = COMMANDS[name]
    shown = " ".join(parser.format_help().split())
    for action in parser._actions:
        if not action.option_strings or action.nargs == 0 or action.required:
            continue
        _, _, after = shown.partition(f" {action.option_strings[-1]} ")
        # Up to where the next option begins.
        help_of_it = after.partition(" --")[0] if "--" in after else after
        assert "default" in action.help or "default" in help_of_it, action.dest


def test_usage_ends_with_the_output():
    usage = COMMANDS["compress"].format_usage()
    assert usage.split()[-4:] == ["IN", "[IN", "...]", "OUT"]
    assert COMMANDS["info"].format_usage().split()[-2:] == ["[IN", "...]"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["dec"], "decompress"),
        (["compress", "--target-s"], "--target-size"),
        (["train", "codec/lar"], "codec/large"),
        (["compress", "photo"], "photo.png"),
    ],
)
def test_bash_completes(words, expected, tmp_path, capsys):
    assert main(["completion", "bash"]) == 0
    (tmp_path / "yoto.bash").write_text(capsys.readouterr().out)
    (tmp_path / "photo.png").touch()
    script = (
        f"source yoto.bash; COMP_WORDS=(yoto {' '.join(words)}); "
        f"COMP_CWORD={len(words)}; _shtab_yoto; echo ${{COMPREPLY[*]}}"
    )
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.split() == [expected], done.stderr


def test_other_shells():
    parser = COMMANDS["completion"]
    [shell] = [action for action in parser._actions if action.dest == "shell"]
    assert set(shell.choices) == {"bash", "zsh", "tcsh"}
    for name in ("zsh", "tcsh"):
        assert main(["completion", name]) == 0


def test_recipes_are_listed(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["train", "--list"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert 'codec/small: The smaller codec, "codec-small"' in text
    assert "stylization/new_style: " in text
    assert "hyper_filters=64" in text.split()


def test_fields_of_one_recipe_are_listed_as_they_are_set(capsys):
    from yoto_tf.training.recipe import override, settings
    from yoto_tf.zoo.recipes import load_recipe

    with pytest.raises(SystemExit):
        main(["train", "codec/small", "--list"])
    text = capsys.readouterr().out
    assert "    filters=32,64,96,160  (tuple[int, ...])\n" in text
    recipe = load_recipe("codec/small")
    given = [f"{field}={value}" for field, value, _ in settings(recipe)]
    assert override(recipe, given) == recipe


def test_threads_are_a_whole_number(capsys):
    for text in ("0", "-1", "two"):
        with pytest.raises(SystemExit):
            main(["compress", "a.png", "a.yoto", "--threads", text])
        assert "expected a whole number above 0" in capsys.readouterr().err
