"""How commands that need Keras start sooner, and without noise."""

import contextlib
import os
import sys
import tempfile

_STDERR = 2


def import_keras():
    """Imports Keras without Matplotlib, which it tries to import for plots of its own.

    That takes nearly a fifth of the time that the whole of Keras and TensorFlow take.
    """
    with _hidden("matplotlib"), _muted():
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


@contextlib.contextmanager
def _muted():
    """Drops what is written to standard error, unless an exception follows.

    While it is imported, TensorFlow 2.18 and later logs whatever level it was given:
    https://github.com/tensorflow/tensorflow/issues/100442.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3" or sys.__stderr__ is None:
        yield
        return
    with tempfile.TemporaryFile() as written, contextlib.ExitStack() as restore:
        stderr = os.dup(_STDERR)
        restore.callback(os.close, stderr)
        os.dup2(written.fileno(), _STDERR)
        restore.callback(os.dup2, stderr, _STDERR)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(stderr, written.read())
            raise
