"""Supervisors of processes that only act as if they trained."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from trainings import free_port

from yoto_tf.errors import RecipeError
from yoto_tf.training.json_lines import JsonLines
from yoto_tf.training.relay import Relay
from yoto_tf.training.supervision import supervise

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
supervision.PATIENCE_SECONDS = float(os.environ.get("PATIENCE", 300))
meeting = os.environ.get("MEETING", "host-a:1").split()
sys.exit(supervision.supervise(sys.argv[2:], meeting[0], *map(int, meeting[1:])))
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


# Without a limit, but for that it ends with its supervisor.
SLEEP = """
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.1)
"""


@pytest.fixture
def early():
    """Starts a supervisor that meets the others, before its process does some Python.

    That one never joins by itself.
    """
    address = f"127.0.0.1:{free_port()}"
    started = []

    def early(number, deed=SLEEP, processes=3, patience=60):
        words = [SUPERVISE, f"import os, sys, time\n{deed}"]
        meeting = f"{address} {processes} {number}"
        process = subprocess.Popen(
            [sys.executable, "-c", *words],
            env={**os.environ, "SILENCE": "5", "PATIENCE": str(patience)}
            | {"MEETING": meeting},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    early.address = address
    yield early
    for process in started:
        process.kill()
        process.communicate()


def ended(process, status):
    _, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    return said


@pytest.mark.parametrize("lost", [0, 1])
def test_who_is_lost_before_all_have_joined_is_named(early, lost):
    """One of three never comes."""
    processes = [
        early(number, "time.sleep(4); os.kill(os.getpid(), 9)")
        if number == lost
        else early(number)
        for number in (0, 1)
    ]
    said = ended(processes[1 - lost], 75)
    assert said == (
        f"yoto: process {lost} on {socket.gethostname()} was ended by SIGKILL; "
        "--resume carries on from the last checkpoint\n"
    )
    ended(processes[lost], 137)


@pytest.mark.parametrize("lost", [0, 1])
@pytest.mark.parametrize(
    ("number", "how"),
    [(signal.SIGKILL, "is gone"), (signal.SIGSTOP, "has been silent for 5 s")],
)
def test_a_host_that_is_lost_before_all_have_joined(early, lost, number, how):
    processes = [early(number) for number in (0, 1)]
    time.sleep(4)
    processes[lost].send_signal(number)
    said = ended(processes[1 - lost], 75)
    assert said.startswith(f"yoto: process {lost} on ")
    assert f"{how}; --resume carries on" in said
    assert said.count("\n") == 1


def test_who_is_interrupted_before_all_have_joined_is_lost(early):
    processes = [early(0), early(1, "time.sleep(4); sys.exit(130)")]
    assert "process 1 on" in (said := ended(processes[0], 75))
    assert "was interrupted; --resume" in said
    ended(processes[1], 130)


def test_who_never_comes_is_named(early):
    processes = [early(number, patience=6) for number in (0, 1)]
    expected = f"yoto: process 2 has not come to {early.address} in 6"
    for process in processes:
        assert ended(process, 75).startswith(expected)


def test_the_first_one_never_comes(early):
    said = ended(early(1, patience=2), 75)
    assert said.startswith("yoto: process 0 on 127.0.0.1 cannot be reached: ")


def test_the_others_may_come_before_the_first_one(early):
    second = early(1, "time.sleep(8); sys.exit(0)", processes=2)
    time.sleep(3)
    first = early(0, "time.sleep(3); sys.exit(0)", processes=2)
    assert [ended(process, 0) for process in (first, second)] == ["", ""]


@pytest.mark.parametrize(
    ("processes", "reason"),
    [
        (3, "there is a process 1 at 127.0.0.1:"),
        (2, "process 0 on "),
    ],
)
def test_who_is_not_expected_is_told_so(early, processes, reason):
    both = [early(number) for number in (0, 1)]
    time.sleep(4)
    said = ended(early(1, processes=processes), 2)
    assert said.startswith(f"yoto: {reason}")
    assert said.count("\n") == 1
    assert all(process.poll() is None for process in both)


def test_a_port_that_is_not_free_is_one_line(early):
    port = int(early.address.rpartition(":")[2]) + 1
    with socket.create_server(("", port)), pytest.raises(RecipeError) as caught:
        supervise([], early.address, 2, 0)
    assert f"at the next port, {port}, and it is not free" in str(caught.value)


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
    relay = Relay(process.stderr)
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
    relay = Relay(process.stderr)
    process.wait()
    relay.finish(shown=False)
    assert capfd.readouterr().err == line


def test_messages_come_whole_and_others_end_the_connection():
    here, there = socket.socketpair()
    lines = JsonLines(there)
    with here, there:
        here.sendall(b'{"beat": 1}\n{"do')
        assert lines.read() == [{"beat": 1}]
        here.sendall(b'ne": 1}\n')
        assert lines.read() == [{"done": 1}]
        JsonLines(here).write({"lost": "process 1"})
        assert lines.read() == [{"lost": "process 1"}]
        here.sendall(b"GET / HTTP/1.1\r\n")
        assert lines.read() is None


def test_a_flood_without_an_end_of_line_ends_the_connection():
    here, there = socket.socketpair()
    lines = JsonLines(there)
    with here, there:
        here.sendall(b"x" * 15_000)
        assert [lines.read(), lines.read()] == [[], None]
