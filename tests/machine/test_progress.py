import io
import sys

import pytest

from yoto_tf.machine.progress import hide_progress_bars, progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=[Terminal, io.StringIO])
def stream(request, monkeypatch):
    stream = request.param()
    monkeypatch.setattr(sys, "stderr", stream)
    yield stream
    hide_progress_bars(False)


def test_bars_are_for_terminals(stream):
    assert list(progress_bar(range(3), "Reading", unit="file", delay=0)) == [0, 1, 2]
    assert ("Reading" in stream.getvalue()) == stream.isatty()


def test_bars_that_are_hidden(stream):
    hide_progress_bars()
    assert list(progress_bar(range(3), delay=0)) == [0, 1, 2]
    assert stream.getvalue() == ""
