"""The errors a user can meet, each with a message of one line."""


class YotoError(Exception):
    """Base class: the command line prints its message and exits with status 2."""


class DataError(YotoError):
    """A picture, folder or data set that cannot be read or does not fit."""


class FormatError(YotoError):
    """A compressed file that is foreign, damaged, or belongs to another model."""


class CoefficientError(YotoError, ValueError):
    """A coefficient with an unknown name, a wrong count or a value out of range."""


class RecipeError(YotoError):
    """A recipe, model or setting that does not exist or does not fit."""
