import io
import sys

import pytest

from yoto_tf.machine.progress import hide_progress_bars, progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def shown_again():
    yield
    hide_progress_bars(False)


@pytest.mark.parametrize(("kind", "shown"), [(Terminal, True), (io.StringIO, False)])
def test_bars_are_for_terminals(kind, shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", kind())
    assert list(progress_bar(range(3), "Reading", unit="file", delay=0)) == [0, 1, 2]
    assert ("Reading" in sys.stderr.getvalue()) == shown


def test_bars_that_are_hidden(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    hide_progress_bars()
    assert list(progress_bar(range(3), delay=0)) == [0, 1, 2]
    assert sys.stderr.getvalue() == ""
