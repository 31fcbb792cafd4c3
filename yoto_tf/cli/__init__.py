"""The `yoto` command: each subcommand is one call into the library or the zoo.

A module a subcommand: `add` describes its options, `run` does it and returns the exit
status. Whatever takes long to import is imported there, when it is needed.
"""

import logging
import os
import signal
import sys
import time
import warnings

from yoto_tf import __version__
from yoto_tf.cli import (
    completion,
    compress,
    decompress,
    demo,
    diff,
    evaluate,
    export,
    info,
    list_models,
    reconstruct,
    sample,
    stylize,
    train,
)
from yoto_tf.cli.output import say, say_error
from yoto_tf.cli.parser import Parser
from yoto_tf.errors import YotoError
from yoto_tf.machine.progress import hide_progress_bars

_SUBCOMMANDS = (
    list_models,
    compress,
    decompress,
    info,
    diff,
    stylize,
    sample,
    reconstruct,
    train,
    evaluate,
    export,
    demo,
    completion,
)


def main(arguments=None):
    """Runs `yoto ARGUMENTS` and returns its exit status.

    An error of the user's is one line on standard error and the status 2.
    """
    started = time.monotonic()
    _quieten_tensorflow()
    _speak_to_any_terminal()
    parser = build_parser()
    try:
        options, more = parser.parse_known_args(arguments)
        if more and not hasattr(options, "more"):
            parser.error(f"unrecognized arguments: {' '.join(more)}")
        options.more, options.started = more, started
        options.arguments = sys.argv[1:] if arguments is None else list(arguments)
        _be_quiet(getattr(options, "quiet", False))
        status = options.run(options)
        # None where the shell has closed it.
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader of standard output, such as `head`, has closed it: end quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except YotoError as error:
        say_error(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        say_error(f"{where}{error.strerror or error}")
    except MemoryError:
        say_error("there is not enough memory for this")
    except KeyboardInterrupt:
        return 130
    return 2


def build_parser():
    """The parser of all subcommands."""
    parser = Parser(
        prog="yoto",
        description="Models trained once on many losses: turn the dial afterwards.",
    )
    parser.add_argument("--version", action="version", version=f"yoto {__version__}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for subcommand in _SUBCOMMANDS:
        subcommand.add(subparsers)
    return parser


def _be_quiet(quiet):
    """Shows neither warnings nor progress bars, or shows both."""
    hide_progress_bars(quiet)
    warnings.showwarning = _ignore_warning if quiet else _show_warning


def _ignore_warning(message, category, filename, lineno, file=None, line=None):
    pass


def _speak_to_any_terminal():
    """Escapes what a terminal cannot display, and shows warnings as one line.

    Pillow's warnings of metadata and of large pictures are left out: a picture that is
    too large is an error.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    warnings.showwarning = _show_warning
    warnings.filterwarnings("ignore", module=r"PIL\.")


def _show_warning(message, category, filename, lineno, file=None, line=None):
    say(f"yoto: {message}", file or sys.stderr)


def _quieten_tensorflow():
    """Silences TensorFlow's warnings, such as those of retracing."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
