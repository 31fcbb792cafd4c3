"""How arguments are read, and the arguments that several subcommands have."""

import argparse

from yoto_tf.errors import printable


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` whose errors are one line, as all others are."""

    def error(self, message):
        """Ends the process with a message and the status 2."""
        self.exit(2, f"yoto: {printable(message)} (see {self.prog} --help)\n")


def add_model(parser, argument="model", default=None, note=""):
    """Adds the argument that says which model to use.

    Args:
        parser: of a subcommand.
        argument: `"--model"`; or `"model"`, one without a flag, which must be given.
        default: the model where none is given.
        note: a text to add to its help.
    """
    shown = f" (default: {default})" if default else ""
    parser.add_argument(
        argument,
        default=default,
        metavar="MODEL",
        help=f"a pretrained name, a folder or a Hub handle{note}{shown}",
    )


def add_no_clobber(parser):
    """Adds `--no-clobber`, for commands that write files."""
    parser.add_argument(
        "--no-clobber",
        action="store_true",
        help="leave files that exist as they are, and say so",
    )
