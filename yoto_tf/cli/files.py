"""Names of files as the command line gives them: several inputs, one output, pipes."""

import os
import sys

from yoto_tf.cli.parser import PATHS_AND_OUTPUT
from yoto_tf.errors import DataError

STDIN = STDOUT = "-"
# What the file that this process writes to is called, see `atomic_files`.
_STDOUT_PATH = "/dev/stdout"


def add_files(parser, reads, writes):
    """Adds IN [IN ...] OUT and `-o OUT`; `read_files` makes of them what is meant.

    Args:
        parser: of a subcommand.
        reads: what one input is, in words.
        writes: what the output of one input is, in words.
    """
    parser.add_argument(
        PATHS_AND_OUTPUT,
        nargs="+",
        metavar="IN",
        help=f"{reads}, a folder or a glob, several of them, or - for standard input; "
        f"then {writes} to write, a folder for many files, or - for standard output",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="OUT, instead of as the last argument (default: the last argument)",
    )
    parser.set_defaults(parser=parser)


def read_files(options):
    """The inputs and the output that were given.

    Standard input is copied to a file, which lives as long as what is returned.

    Returns:
        A list of what to read, and the path to write.

    Raises:
        DataError: standard output is a terminal, or standard input cannot be read.
    """
    sources, target = list(options.paths_and_output), options.output
    if target is None:
        target = sources.pop()
    if not sources:
        options.parser.error("the following arguments are required: OUT")
    if sources.count(STDIN) > 1:
        raise DataError("standard input is given twice, expected it once")
    if target == STDOUT:
        if sys.stdout.isatty():
            raise DataError("standard output is a terminal, expected a file or a pipe")
        target = _STDOUT_PATH
    elif STDIN in sources and (os.path.isdir(target) or target.endswith(os.sep)):
        raise DataError(
            f"{target} is a folder, expected the name of a file for standard input"
        )
    return read_sources(sources), target


def read_sources(names):
    """The same names, with `-` replaced by what standard input gives."""
    from yoto_tf.machine.inputs import standard_input

    return [standard_input() if name == STDIN else name for name in names]
