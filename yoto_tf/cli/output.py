"""How the command speaks: tables for people, JSON for programs, lists of failures."""

import json
import sys


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


def print_failures(report):
    """Says on standard error which of many files failed, and returns the exit status.

    Args:
        report: a `Report` of `yoto_tf.zoo.conversion`.
    """
    for failure in report.failed:
        print(f"yoto: {failure['error']}", file=sys.stderr)
    if report.failed:
        count = len(report.failed) + len(report.files)
        print(f"yoto: {len(report.failed)} of {count} files failed", file=sys.stderr)
    return 2 if report.failed else 0
