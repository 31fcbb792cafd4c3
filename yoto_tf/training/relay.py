"""Passes on what a process says, but for its last words until they are wanted."""

import os
import re
import sys
import threading

# From such a line on, what the training says is held until it is known who is to blame.
_ALARM = re.compile(
    rb"F\d{4} |\d{4}-\d\d-\d\d [\d:.]+: F |terminate called|Traceback \(most recent"
    rb"|E\d{4} .*coordination|\d{4}-\d\d-\d\d [\d:.]+: E .*coordination"
)


class Relay:
    """Passes on what a process says on standard error, but for its last words.

    Args:
        pipe: the process's standard error, in bytes.
    """

    def __init__(self, pipe):
        self._pipe = pipe
        self._held = []
        self._last = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def after(self, line):
        """A line to say when all is passed on."""
        self._last.append(line)

    def finish(self, shown):
        """Ends, and shows what was held if that is wanted."""
        # Whoever else has the pipe open may keep it for longer.
        self._thread.join(timeout=2)
        for line in self._held if shown else ():
            _show(line)
        for line in self._last:
            _show(line.encode(errors="backslashreplace") + b"\n")

    def _run(self):
        for line in self._pipe:
            if self._held or _ALARM.match(line):
                self._held.append(line)
            else:
                _show(line)


def _show(line):
    os.write(sys.stderr.fileno(), line)
