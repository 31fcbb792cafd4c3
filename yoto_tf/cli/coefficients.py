"""Coefficients as the command line gives them."""

import argparse


def coefficients(text):
    """`distortion=0.02` or `content=1,style=0.3` as {name: float}, for argparse."""
    values = {}
    for part in text.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name.isidentifier() and equals):
            raise argparse.ArgumentTypeError(f"expected name=value, got {part!r}")
        if name in values:
            raise argparse.ArgumentTypeError(f"{name} is given twice")
        try:
            values[name] = float(value)
        except ValueError:
            message = f"{name} is a number, got {value!r}"
            raise argparse.ArgumentTypeError(message) from None
    return values
