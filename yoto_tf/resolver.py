"""The one place that imports by a string."""

import pkgutil


def resolve(name):
    """What "package.module:name" names, or the module where there is no colon.

    Raises:
        ImportError: no such module.
        AttributeError: the module has no such name.
        ValueError: the text is not such a name.
    """
    return pkgutil.resolve_name(name)
