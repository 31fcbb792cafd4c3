"""Sizes of files as the command line gives them."""

import argparse
import re

_UNITS = {"": 1}
for _power, _letter in enumerate("kmg", 1):
    _UNITS |= {_letter: 1000**_power, f"{_letter}i": 1024**_power}
_SIZE = re.compile(r"(\d+|\d*\.\d+)\s*(|[kmg]i?)b?", re.IGNORECASE | re.ASCII)
# Far more than any file has bytes.
_MOST_DIGITS = 30


def size(text):
    """`30000`, `30k`, `30kB` or `29.3KiB` as bytes, for argparse.

    `k`, `M` and `G` are powers of 1,000; `Ki`, `Mi` and `Gi` of 1,024. Rounded down, as
    sizes are limits.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(
            f"expected bytes, such as 30000, 30k (30,000) or 30KiB (30,720), got {text}"
        )
    number, unit = match.groups()
    factor = _UNITS[unit.lower()]
    if len(number) > _MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"expected fewer digits, got {len(number)}")
    return int(float(number) * factor) if "." in number else int(number) * factor
