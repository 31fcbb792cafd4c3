"""See the package."""

import argparse
import sys

from .hunt import hunt
from .targets import TARGETS


def main(arguments=None):
    """Returns the exit status: 1 if something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args(arguments)
    tried, found = hunt(TARGETS[options.target], 60 * options.minutes)
    print(f"{options.target}: {tried:,} inputs, {found or 'none broke anything'}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
