"""How commands that need Keras start sooner, and without noise."""

import contextlib
import os
import sys

from yoto_tf.machine.muted_stderr import muted_stderr
from yoto_tf.machine.threads import limit_threads


def import_keras(threads=None):
    """Imports Keras without packages that it imports where they are installed.

    These are Matplotlib, for plots, and scikit-learn, for wrappers. Matplotlib alone
    takes nearly a fifth of the time that the whole of Keras and TensorFlow take.

    Args:
        threads: how many threads to compute with; None for all there are.
    """
    if threads is not None:
        limit_threads(threads)
    with _hidden("matplotlib"), _hidden("sklearn"), _muted():
        # Released networks do not follow the settings in a user's keras.json.
        from yoto_tf.machine.keras_settings import set_usual_settings

        set_usual_settings()


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


def _muted():
    """A context that mutes TensorFlow, unless the user asked for its messages.

    While it is imported, TensorFlow 2.18 and later logs whatever level it was given:
    https://github.com/tensorflow/tensorflow/issues/100442.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3":
        return muted_stderr(unless_raised=True)
    return contextlib.nullcontext()
