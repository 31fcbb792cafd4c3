"""The errors a user can meet, each with a message of one line."""


def printable(text):
    """A text without characters that control a terminal or the direction of writing.

    File names, model cards and servers' answers can come from anybody. Control
    characters, line ends included, and lone surrogates become escapes such as \\x1b.
    """
    return "".join(
        char if char.isprintable() else repr(char)[1:-1] for char in str(text)
    )


class YotoError(Exception):
    """Base class: the command line prints its message and exits with status 2."""

    def __str__(self):
        return printable(super().__str__())


class DataError(YotoError):
    """A picture, folder or data set that cannot be read or does not fit."""


class FormatError(YotoError):
    """A compressed file that is foreign, damaged, or belongs to another model."""


class CoefficientError(YotoError, ValueError):
    """A coefficient with an unknown name, a wrong count or a value out of range."""


class RecipeError(YotoError):
    """A recipe, model or setting that does not exist or does not fit."""
