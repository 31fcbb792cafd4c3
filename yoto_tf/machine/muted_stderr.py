"""Silence of compiled code, which no setting and no `sys.stderr` reaches."""

import contextlib
import os
import sys

_STDERR = 2


@contextlib.contextmanager
def muted_stderr(unless_raised=False):
    """Drops what this process writes to standard error, from whatever language.

    Args:
        unless_raised: whether it is shown after all when an exception passes.
    """
    # Late, for `yoto --help` imports this module and mutes nothing.
    import tempfile

    if sys.__stderr__ is None:
        yield
        return
    sys.__stderr__.flush()
    with tempfile.TemporaryFile() as written, contextlib.ExitStack() as restore:
        stderr = os.dup(_STDERR)
        restore.callback(os.close, stderr)
        os.dup2(written.fileno(), _STDERR)
        restore.callback(os.dup2, stderr, _STDERR)
        try:
            yield
        except BaseException:
            if unless_raised:
                written.seek(0)
                os.write(stderr, written.read())
            raise
