"""`yoto completion`"""

from yoto_tf.cli.parser import PATHS, PATHS_AND_OUTPUT
from yoto_tf.cli.startup import import_keras

# What names files and folders, by where argparse puts it.
_FILES = {PATHS, PATHS_AND_OUTPUT, "source", "target", "first", "second"}
_FILES |= {"output", "plot", "data", "mask", "style", "outside"}
_FOLDERS = {"directory", "out", "workdir"}
_MODELS = {"model", "start"}


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "completion",
        help="a script that completes commands, options and names in a shell",
        description="Prints a script for a shell, to be kept in a file: `yoto "
        "completion bash > ~/.local/share/bash-completion/completions/yoto`.",
    )
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="your shell")
    parser.set_defaults(run=run)


def run(options):
    """Prints the script."""
    import_keras()
    import shtab

    from yoto_tf import zoo
    from yoto_tf.cli import build_parser
    from yoto_tf.zoo.recipes import recipe_names

    parser = build_parser()
    for command in _subparsers(parser).values():
        for action in command._actions:
            if action.dest in _FILES:
                action.complete = shtab.FILE
            elif action.dest in _FOLDERS:
                action.complete = shtab.DIRECTORY
            if action.dest in _MODELS:
                action.choices = list(zoo.names())
            elif action.dest == "recipe":
                action.choices = recipe_names()
    print(shtab.complete(parser, options.shell))
    return 0


def _subparsers(parser):
    """{name: parser} of the subcommands of a parser."""
    return next(action.choices for action in parser._actions if action.choices)
