"""How the command speaks: tables for people, JSON for programs, lists of failures."""

import dataclasses
import json
import os
import sys

from yoto_tf.errors import printable
from yoto_tf.machine.atomic_files import is_special

# How many of the files that were skipped are named.
_NAMED = 10


def say(text, stream=None):
    """Prints one line, without characters that control the terminal.

    All that the command says goes through here or through JSON: file names, model cards
    and messages of libraries can hold anything.

    Args:
        text: the line.
        stream: None for standard output.
    """
    print(printable(text), file=stream or sys.stdout)


def say_error(text):
    """Prints one line on standard error, after `yoto:`."""
    say(f"yoto: {text}", sys.stderr)


def print_json(value, stream=None):
    """Prints a value as indented JSON, on standard output if `stream` is None."""
    print(json.dumps(value, indent=2, allow_nan=False), file=stream or sys.stdout)


def report(options, text, target, stream=None):
    """Says what was written, unless the user asked for quiet.

    Args:
        options: of a command with `--quiet`.
        text: the line, after the name of the file.
        target: the file that was written.
        stream: standard error where standard output is for a table or JSON; None for
            `report_stream`.
    """
    if not options.quiet:
        say(f"{target}: {text}", stream or report_stream(target))


def print_table(rows):
    """Prints rows of strings in columns; the first row is the head.

    Columns are as wide as they need; all but the last are aligned to the right if their
    entries start with a digit.
    """
    # Escaped first, which may make them wider.
    rows = [[printable(cell) for cell in row] for row in rows]
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [column[-1][:1].isdigit() for column in columns]
    for row in rows:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        )
        say("  ".join(cells).rstrip())


def report_stream(target):
    """The stream for reports: standard error if the file itself is standard output.

    Args:
        target: the file that was written.
    """
    try:
        written, output = os.stat(target), os.fstat(1)
    except OSError:
        return sys.stdout
    same = is_special(target) and os.path.samestat(written, output)
    return sys.stderr if same else sys.stdout


def is_left(options, target):
    """Whether an output exists and stays as it is; if so, says that."""
    exists = os.path.isfile(target) and not is_special(target)
    if not (options.no_clobber and exists):
        return False
    if not options.quiet:
        say_error(f"{target} exists and is left as it is")
    return True


def print_conversion(options, report, target, describe):
    """Says what became of the files, as lines or as JSON, and returns the status.

    Args:
        options: of a command with `--quiet` and `--json`.
        report: a `ConversionReport` of `yoto_tf.zoo.conversion`.
        target: what was written: a file or a folder.
        describe: function of one of its files to a text, which stands after the name.
    """
    if options.json:
        print_json(dataclasses.asdict(report), report_stream(target))
    elif not options.quiet:
        for file in report.files:
            say(f"{file['output']}: {describe(file)}", report_stream(target))
    return print_failures(report, options.quiet)


def print_failures(report, quiet=False):
    """Says on standard error which files failed or were left, and returns the status.

    Args:
        report: a `ConversionReport` of `yoto_tf.zoo.conversion`.
        quiet: whether to say nothing of files that were left or skipped.
    """
    if not quiet:
        for kept in report.kept:
            say_error(f"{kept['output']} exists and is left as it is")
        if report.skipped:
            named, more = report.skipped[:_NAMED], len(report.skipped) - _NAMED
            rest = f" and {more} more" if more > 0 else ""
            say_error(f"skipped, by their suffixes: {', '.join(named)}{rest}")
    for failure in report.failed:
        say_error(failure["error"])
    if report.failed:
        count = len(report.failed) + len(report.files) + len(report.kept)
        say_error(f"{len(report.failed)} of {count} files failed")
    return 1 if report.failed else 0
