"""Lets TensorFlow be imported without its messages about devices and plug-ins."""

import os
from importlib.machinery import PathFinder

from yoto_tf.machine.muted_stderr import muted_stderr

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Of the levels 0 to 3: only what ends the process.
_QUIET = "3"


def find_spec(path=None, target=None):
    """The spec of TensorFlow, None without it, by which its import is silent.

    Where the user has set TF_CPP_MIN_LOG_LEVEL, it is left as it is, and only "3"
    mutes. TensorFlow's C++ part reads it when it is imported. Meanwhile 2.18 and later
    log whatever level they were given, so that standard error is muted, too:
    https://github.com/tensorflow/tensorflow/issues/100442.
    """
    spec = PathFinder.find_spec("tensorflow", path, target)
    if spec is None or spec.loader is None:
        return spec
    execute = spec.loader.exec_module

    def execute_quietly(module):
        # Not before: some ask for the spec and import nothing.
        if os.environ.setdefault(_LEVEL, _QUIET) == _QUIET:
            with muted_stderr(unless_raised=True):
                execute(module)
        else:
            execute(module)

    spec.loader.exec_module = execute_quietly
    return spec
