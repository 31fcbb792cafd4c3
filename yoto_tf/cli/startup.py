"""How commands that need Keras start sooner."""

import contextlib
import gc
import json
import os
import sys

from yoto_tf.errors import YotoError
from yoto_tf.machine.threads import limit_threads

_BACKENDS = ("tensorflow", "jax", "torch")
# What Keras and TensorFlow import where it is installed, for plots, wrappers,
# data frames and notebooks. JAX is for converting its functions to TensorFlow Lite,
# SciPy for sparse matrices in a former Keras.
_FOR_ALL = ("matplotlib", "sklearn")
_FOR_PICTURES = (*_FOR_ALL, "IPython", "jax", "pandas", "scipy")


def import_keras(threads=None, pictures=True):
    """Imports Keras without packages that it imports where they are installed.

    They take a third of the time that Keras and TensorFlow take with them.

    Args:
        threads: how many threads to compute with; None for all there are.
        pictures: whether released networks are to run on pictures and no more, so that
            neither a user's own code nor a converter needs one of these packages.
    """
    if threads is not None:
        limit_threads(threads)
    backend = chosen_backend()
    if backend not in _BACKENDS:
        raise YotoError(
            f"the Keras backend is {backend!r}, expected one of {', '.join(_BACKENDS)}"
        )
    hidden = _FOR_PICTURES if pictures else _FOR_ALL
    if pictures and backend != "tensorflow":
        hidden = _FOR_ALL
    with contextlib.ExitStack() as stack:
        for name in hidden:
            stack.enter_context(_hidden(name))
        stack.enter_context(_plain_distutils())
        stack.enter_context(_no_garbage())
        # Released networks do not follow the settings in a user's keras.json.
        from yoto_tf.machine.keras_settings import set_usual_settings

        set_usual_settings()


def chosen_backend():
    """The backend that Keras is going to run on, as far as is known before."""
    if backend := os.environ.get("KERAS_BACKEND"):
        return backend
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    try:
        with open(os.path.join(home, "keras.json"), encoding="utf-8") as file:
            return json.load(file).get("backend", "tensorflow")
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


@contextlib.contextmanager
def _no_garbage():
    """Collects no garbage: all that an import makes stays, and later is not looked at.

    Collections would take a tenth of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


@contextlib.contextmanager
def _plain_distutils():
    """Takes Python's own distutils, of which TensorFlow asks one folder.

    Where setuptools is installed, importing it imports all of setuptools. Python 3.12
    and later have none of their own.
    """
    hack = sys.modules.get("_distutils_hack")
    if hack is None or sys.version_info >= (3, 12):
        yield
        return
    hack.remove_shim()
    try:
        yield
    finally:
        hack.add_shim()


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
