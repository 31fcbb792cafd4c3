"""Coefficients as the command line gives them."""

import argparse
import inspect

from yoto_tf.errors import CoefficientError


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


def check_names(values, *functions):
    """Refuses a coefficient with the name of another argument.

    Args:
        values: {name: float}.
        *functions: those that are to take them as keywords.

    Raises:
        CoefficientError: a function has an argument of this name.
    """
    for function in functions:
        for name in inspect.signature(function).parameters.keys() & values.keys():
            raise CoefficientError(
                f"unknown coefficient {name!r}, expected those of the model "
                "(see yoto list)"
            )
