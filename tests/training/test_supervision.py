"""Supervisors of processes that only act as if they trained."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from yoto_tf.training.supervision import _Lines, _Relay

FATAL = "F1130 13:07:21.09 8257 client.h:80] Terminating process because"
POLLED = "E1130 13:07:21.09 8257 coordination_service_agent.cc:567] Polled an error"
TRACE = "Traceback (most recent call last):"

SUPERVISE = """
import os, sys
from yoto_tf.training import supervision
supervision._COMMAND = [sys.executable, "-c", sys.argv[1]]
supervision._SILENCE_SECONDS = float(os.environ["SILENCE"])
supervision._BEAT_SECONDS = 0.5
supervision._DOUBT_SECONDS = 6.0
supervision._EXIT_SECONDS = 2.0
sys.exit(supervision.supervise(sys.argv[2:], "host-a:1"))
"""

# Joins as process argv[1], and then does argv[3]. Process 0 leaves its port in a file.
ACT = """
import json, os, pathlib, signal, socket, sys, time
descriptor, port = map(int, os.environ["YOTO_SUPERVISOR"].split(","))
number, file = int(sys.argv[1]), pathlib.Path(sys.argv[2])
if number == 0:
    file.with_suffix(".new").write_text(str(port))
    file.with_suffix(".new").rename(file)
while not file.exists():
    time.sleep(0.05)
meeting = ["127.0.0.1", int(file.read_text())]
link = socket.socket(fileno=descriptor)
facts = {"process": number, "processes": 2, "meeting": meeting, "token": 7}
link.sendall(json.dumps(facts).encode() + b"\\n")
print("joined", flush=True)
# What is done follows when both have joined.
file.with_suffix(f".{number}").touch()
while not file.with_suffix(f".{1 - number}").exists() and "alone" not in sys.argv[3]:
    time.sleep(0.05)
exec(sys.argv[3])
"""


@pytest.fixture
def start(tmp_path):
    """Starts a supervisor, whose process does some Python once it has joined."""
    started = []

    def start(number, deed, silence=60):
        words = [SUPERVISE, ACT, str(number), str(tmp_path / "port"), deed]
        process = subprocess.Popen(
            [sys.executable, "-c", *words],
            env={**os.environ, "SILENCE": str(silence)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


# Until its supervisor is gone: what `join` does.
WAIT = "import os; above = os.getppid()\nwhile os.getppid() == above: time.sleep(0.2)"
FAIL = "print('Traceback (most recent call last):', file=sys.stderr); sys.exit(71)"


@pytest.mark.parametrize(
    ("deed", "how", "status"),
    [
        ("os.kill(os.getpid(), 9)", "was ended by SIGKILL", 137),
        ("sys.exit(2)", "ended with status 2", 2),
        # Nobody else is to blame.
        (FAIL, "ended with status 71", 71),
    ],
)
@pytest.mark.parametrize("lost", [0, 1])
def test_the_others_learn_who_is_lost_and_how(start, deed, how, status, lost):
    processes = [
        start(i, f"time.sleep(1); {deed}" if i == lost else WAIT) for i in (0, 1)
    ]
    _, said = processes[1 - lost].communicate(timeout=60)
    assert processes[1 - lost].returncode == 75
    assert said == (
        f"yoto: process {lost} on {socket.gethostname()} {how}; --resume carries on "
        "from the last checkpoint\n"
    )
    processes[lost].communicate(timeout=60)
    assert processes[lost].returncode == status


def test_an_error_that_another_has_caused_is_not_shown(start):
    first = start(0, "time.sleep(1); " + FAIL)
    second = start(1, "time.sleep(2); os.kill(os.getpid(), 9)")
    _, said = first.communicate(timeout=60)
    assert first.returncode == 75
    assert said.startswith("yoto: process 1 on ")
    assert said.count("\n") == 1
    second.communicate(timeout=60)


def test_a_host_that_falls_silent_is_lost(start):
    processes = [start(number, WAIT, silence=8) for number in (0, 1)]
    for process in processes:
        assert process.stdout.readline() == "joined\n"
    processes[1].send_signal(signal.SIGSTOP)
    _, said = processes[0].communicate(timeout=60)
    assert processes[0].returncode == 75
    assert "has been silent for 8 s; --resume carries on" in said


def test_whoever_ends_in_order_is_not_missed(start):
    processes = [start(0, "sys.exit(0)"), start(1, "time.sleep(4); sys.exit(0)")]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (0, "")


def test_a_process_that_does_not_end_after_its_training_is_ended(start):
    end = """os.write(descriptor, b'{"ended": 130}\\n'); """
    processes = [start(0, end + "time.sleep(600)"), start(1, end + "os.abort()")]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert (process.returncode, said) == (130, "")


def test_processes_that_do_not_meet_are_one_line():
    words = [SUPERVISE, "import os; os.write(2, b'F1130 fatal'); os.abort()"]
    done = subprocess.run(
        [sys.executable, "-c", *words],
        env={**os.environ, "SILENCE": "60"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 75
    assert done.stderr.startswith("yoto: not all processes came to host-a:1 in time")
    assert done.stderr.count("\n") == 1


def test_the_process_ends_with_its_supervisor(start):
    """What `join` does; here the process looks by itself."""
    process = start(0, "link.recv(1); os._exit(1)  # alone")
    assert process.stdout.readline() == "joined\n"
    process.kill()
    # It ends once the process that has the other end of the pipe is gone, too.
    assert process.stdout.read() == ""


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
