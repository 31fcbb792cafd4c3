"""Lets TensorFlow be imported without its messages about devices and plug-ins."""

import os
import sys
from importlib.machinery import PathFinder

from yoto_tf.machine.muted_stderr import muted_stderr

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
# Of the levels 0 to 3: only what ends the process.
_QUIET = "3"


class QuietTensorFlow:
    """Mutes the import of TensorFlow: on `sys.meta_path` until then.

    Where the user has set TF_CPP_MIN_LOG_LEVEL, it is left as it is, and only "3"
    mutes. TensorFlow's C++ part reads it when it is imported. Meanwhile 2.18 and later
    log whatever level they were given, so that standard error is muted, too:
    https://github.com/tensorflow/tensorflow/issues/100442.
    """

    def find_spec(self, name, path, target=None):
        if name != "tensorflow":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_quietly(module):
                # Not before: some ask for the spec and import nothing.
                sys.meta_path.remove(self)
                if os.environ.setdefault(_LEVEL, _QUIET) == _QUIET:
                    with muted_stderr(unless_raised=True):
                        execute(module)
                else:
                    execute(module)

            spec.loader.exec_module = execute_quietly
        return spec
