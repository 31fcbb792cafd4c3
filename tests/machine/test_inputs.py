"""Pipes, which can be read once, as inputs that are read several times."""

import os
import threading

import pytest

from yoto_tf.errors import DataError
from yoto_tf.machine import inputs
from yoto_tf.machine.inputs import PipedFile, rereadable


@pytest.fixture
def pipe(tmp_path):
    """A named pipe and a function that feeds it with bytes."""
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    threads = []

    def feed(content):
        def write():
            try:
                path.write_bytes(content)
            except BrokenPipeError:
                return

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return path

    yield feed
    for thread in threads:
        thread.join(60)


def test_a_pipe_is_read_again_and_keeps_its_name(pipe):
    content = bytes(range(256)) * 1000
    path = pipe(content)
    copy = rereadable(path)
    assert str(copy) == str(path)
    for _ in range(2):
        with open(copy, "rb") as file:
            assert file.read() == content
    where = os.fspath(copy)
    del copy
    assert not os.path.exists(where)


def test_an_endless_pipe_is_refused(pipe, monkeypatch):
    monkeypatch.setattr(inputs, "_LARGEST", 10_000)
    path = pipe(bytes(1_000_000))
    with pytest.raises(DataError, match=r"pipe\.png: it gives more than 10,000 bytes"):
        rereadable(path)


@pytest.mark.parametrize("name", ["file", "nowhere", "a\0b", "/dev/null", "."])
def test_others_are_left_as_they_are(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    open("file", "w").close()
    assert rereadable(name) == name


def test_a_pipe_that_cannot_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match="cannot read pipe: Permission denied"):
        PipedFile("pipe")
