"""How the command speaks: tables for people, JSON for programs, lists of failures."""

import json
import os
import sys

from yoto_tf.machine.atomic_files import is_special


def print_json(value):
    """Prints a value as indented JSON."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_table(rows):
    """Prints rows of strings in columns; the first row is the head.

    Columns are as wide as they need; all but the last are aligned to the right if their
    entries start with a digit.
    """
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [column[-1][:1].isdigit() for column in columns]
    for row in rows:
        cells = (
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, right, strict=True)
        )
        print("  ".join(cells).rstrip())


def report_stream(target):
    """Where to say what was written: standard error where it went to the output.

    Args:
        target: the file that was written.
    """
    try:
        written, output = os.stat(target), os.fstat(1)
    except OSError:
        return sys.stdout
    same = is_special(target) and os.path.samestat(written, output)
    return sys.stderr if same else sys.stdout


def add_no_clobber(parser):
    """Adds the option of all that write files where some may be."""
    parser.add_argument(
        "--no-clobber",
        action="store_true",
        help="leave files that exist as they are, and say so",
    )


def is_left(options, target):
    """Whether an output exists and is to be left as it is, which is said."""
    if not (options.no_clobber and os.path.isfile(target)):
        return False
    print(f"yoto: {target} exists and is left as it is", file=sys.stderr)
    return True


def print_failures(report):
    """Says on standard error which files failed or were left, and returns the status.

    Args:
        report: a `Report` of `yoto_tf.zoo.conversion`.
    """
    for kept in report.kept:
        print(f"yoto: {kept['output']} exists and is left as it is", file=sys.stderr)
    for failure in report.failed:
        print(f"yoto: {failure['error']}", file=sys.stderr)
    if report.failed:
        count = len(report.failed) + len(report.files) + len(report.kept)
        print(f"yoto: {len(report.failed)} of {count} files failed", file=sys.stderr)
    return 1 if report.failed else 0
