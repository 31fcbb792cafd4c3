"""How commands that need Keras start sooner."""

import contextlib
import sys


def import_keras():
    """Imports Keras without Matplotlib, which it tries to import for plots of its own.

    That takes nearly a fifth of the time that the whole of Keras and TensorFlow take.
    """
    with _hidden("matplotlib"):
        import keras  # noqa: F401


@contextlib.contextmanager
def _hidden(name):
    """Makes a package seem not installed, unless it has been imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None
    try:
        yield
    finally:
        del sys.modules[name]
