"""How arguments are read, and the arguments that several subcommands have."""

import argparse

from yoto_tf.errors import printable

# Arguments that are lists of files, the latter with OUT as the last of them.
PATHS, PATHS_AND_OUTPUT = "paths", "paths_and_output"


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` whose errors are one line, as all others are.

    Its help states the default of every option that takes a value.
    """

    def __init__(self, *arguments, formatter_class=None, **options):
        formatter_class = formatter_class or _WithDefaults
        super().__init__(*arguments, formatter_class=formatter_class, **options)

    def error(self, message):
        """Ends the process with a message and the status 2."""
        self.exit(2, f"yoto: {printable(message)} (see {self.prog} --help)\n")

    def parse_known_args(self, args=None, namespace=None):
        """As argparse does it, with options allowed between the names of files."""
        options, more = super().parse_known_args(args, namespace)
        # argparse gives a list of names only those that stand together.
        if all(map(_is_name, more)):
            for name in (PATHS, PATHS_AND_OUTPUT):
                if hasattr(options, name):
                    getattr(options, name).extend(more)
                    more = []
        return options, more


# Of a seed; Python refuses to read much longer numbers.
_MOST_DIGITS = 30


def seed(text):
    """A whole number from 0, for argparse."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text}")
    return int(text)


def _is_name(argument):
    return argument == "-" or not argument.startswith("-")


class _WithDefaults(argparse.HelpFormatter):
    def _get_help_string(self, action):
        text = action.help
        if (
            action.option_strings
            and action.nargs != 0
            and action.default not in (None, argparse.SUPPRESS)
            and "default" not in text
        ):
            text += " (default: %(default)s)"
        return text

    def _format_args(self, action, default_metavar):
        shown = super()._format_args(action, default_metavar)
        return f"{shown} OUT" if action.dest == PATHS_AND_OUTPUT else shown


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


def add_volume(parser, verbose=None):
    """Adds `--quiet` and, given a text that says what it shows, `--verbose`."""
    volume = parser.add_mutually_exclusive_group()
    volume.add_argument(
        "--quiet",
        action="store_true",
        help="say nothing but errors, and show no progress",
    )
    if verbose:
        volume.add_argument("--verbose", action="store_true", help=verbose)


def add_threads(parser):
    """Adds `--threads`, for commands that run networks."""
    parser.add_argument(
        "--threads",
        type=positive,
        metavar="N",
        help="processor threads to use (default: as many as there are cores)",
    )


def positive(text):
    """A whole number above 0, for argparse."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, got {text}")
    return number
