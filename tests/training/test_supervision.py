import socket
import subprocess
import sys

import pytest

from yoto_tf.training.supervision import _Lines, _Relay

FATAL = "F1130 13:07:21.09 8257 client.h:80] Terminating process because"
POLLED = "E1130 13:07:21.09 8257 coordination_service_agent.cc:567] Polled an error"
TRACE = "Traceback (most recent call last):"


@pytest.mark.parametrize("alarm", [FATAL, POLLED, TRACE])
@pytest.mark.parametrize("shown", [False, True])
def test_last_words_are_held_until_it_is_known_who_is_lost(alarm, shown, capfd):
    lines = ["step 3/9, 5 ms a step", alarm, "  and what follows it"]
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys; sys.stderr.write({lines!r}[0] + chr(10)); "
            f"sys.stderr.write(chr(10).join({lines[1:]!r}) + chr(10))",
        ],
        stderr=subprocess.PIPE,
    )
    relay = _Relay(process.stderr)
    process.wait()
    relay.after("yoto: process 1 on b is gone")
    relay.finish(shown=shown)
    said = capfd.readouterr().err.splitlines()
    expected = lines if shown else lines[:1]
    assert said == [*expected, "yoto: process 1 on b is gone"]


def test_errors_of_one_process_are_passed_on_at_once(capfd):
    line = "E0000 cuda_dnn.cc:8454] Unable to register cuDNN factory"
    process = subprocess.Popen(
        [sys.executable, "-c", f"import sys; sys.stderr.write({line!r})"],
        stderr=subprocess.PIPE,
    )
    relay = _Relay(process.stderr)
    process.wait()
    relay.finish(shown=False)
    assert capfd.readouterr().err == line


def test_messages_come_whole_and_others_end_the_connection():
    here, there = socket.socketpair()
    lines = _Lines(there)
    with here, there:
        here.sendall(b'{"beat": 1}\n{"do')
        assert lines.read() == [{"beat": 1}]
        here.sendall(b'ne": 1}\n')
        assert lines.read() == [{"done": 1}]
        _Lines(here).write({"lost": "process 1"})
        assert lines.read() == [{"lost": "process 1"}]
        here.sendall(b"GET / HTTP/1.1\r\n")
        assert lines.read() is None


def test_a_flood_without_an_end_of_line_ends_the_connection():
    here, there = socket.socketpair()
    lines = _Lines(there)
    with here, there:
        here.sendall(b"x" * 15_000)
        assert [lines.read(), lines.read()] == [[], None]
