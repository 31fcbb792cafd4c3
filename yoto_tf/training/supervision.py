"""Runs one process of a training on many hosts, and ends it when another is lost.

A process that trains can neither watch nor report by itself: when the first one is
gone, JAX ends the others at once and says little; when another one is gone, an exchange
of arrays fails or waits. So a small process starts the one that trains, and these small
ones keep in touch: each is connected to that of process 0, which tells the rest.

They meet before JAX does, at the port after the coordinator's. Only what a cluster says
is left to JAX to find out: then they meet when all have joined.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time

from yoto_tf.errors import RecipeError, printable
from yoto_tf.training.joining import MAYBE_ANOTHER, PATIENCE_SECONDS, SUPERVISOR
from yoto_tf.training.json_lines import JsonLines
from yoto_tf.training.relay import Relay

# For schedulers: the same command with --resume may succeed.
LOST = 75
_BEAT_SECONDS = 5.0
_SILENCE_SECONDS = 30.0
# How long the first one waits for the others to call, before it tells how it ended.
_CALL_SECONDS = 10.0
# How long an error that others may have caused waits for their report.
_DOUBT_SECONDS = 8.0
# How long a process whose training has ended may take to end itself.
_EXIT_SECONDS = 30.0
_INTERRUPTED = 130
# How long an attempt to reach the first one may take.
_ATTEMPT_SECONDS = 5.0
_COMMAND = [sys.executable, "-m", "yoto_tf.cli"]


def supervise(arguments, coordinator, processes=None, process=None):
    """Runs `yoto ARGUMENTS` in a process of its own, as one of many.

    Args:
        arguments: of the command line.
        coordinator: where the processes meet, `HOST:PORT`; or `"auto"`.
        processes: how many processes there are; None with `"auto"`.
        process: the number of this one, from 0; None with `"auto"`.

    Returns:
        The exit status: that of the process, or `LOST` after one line about the
        process that was lost.

    Raises:
        RecipeError: another process has the port after the coordinator's.
    """
    return _Supervisor(arguments, coordinator, processes, process).run()


class _Supervisor:
    def __init__(self, arguments, coordinator, processes, process):
        self._coordinator = coordinator
        self._selector = selectors.DefaultSelector()
        self._number = process
        # What those who call must know.
        self._token = processes
        self._peers = {}
        self._listener = self._first_address = None
        # Who has not called yet, until when they are waited for, and what is said then.
        self._missing = set()
        self._meet_until = time.monotonic() + PATIENCE_SECONDS
        self._too_late = f"has not come to {coordinator} in {PATIENCE_SECONDS} s"
        self._status = None
        self._doubt_until = None
        self._ended = None
        self._farewell = None
        self._beaten = 0.0
        port = 0
        if process is None:
            self._listener = _listener(0)
            port = self._listener.getsockname()[1]
        else:
            host, _, number = coordinator.rpartition(":")
            address = host.strip("[]"), int(number) + 1
            if process == 0:
                self._listener = self._free_listener(address[1])
                self._expect_others(processes)
            else:
                self._first_address = address
        link, far = socket.socketpair()
        self._link = JsonLines(link)
        self._process = subprocess.Popen(
            [*_COMMAND, *arguments],
            env={**os.environ, SUPERVISOR: f"{far.fileno()},{port}"},
            pass_fds=[far.fileno()],
            stderr=subprocess.PIPE,
            # A Ctrl-C is passed on by this process, once.
            start_new_session=True,
        )
        far.close()
        self._relay = Relay(self._process.stderr)
        self._selector.register(link, selectors.EVENT_READ, self._hear_process)

    def _free_listener(self, port):
        try:
            return _listener(port)
        except OSError as error:
            raise RecipeError(
                f"cannot train at {self._coordinator}: the processes watch each other "
                f"at the next port, {port}, and it is not free ({error.strerror})"
            ) from error

    def _expect_others(self, processes):
        self._missing = set(range(1, processes))
        self._selector.register(
            self._listener, selectors.EVENT_READ, self._accept_supervisor
        )

    def run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._pass_on)
        while self._status is None:
            for key, _ in self._selector.select(timeout=0.5):
                key.data(key.fileobj)
                if self._status is not None:
                    break
            else:
                self._watch_time()
        return self._status

    def _pass_on(self, number, frame):
        if self._process.poll() is None:
            self._process.send_signal(number)
        else:
            # Nobody is to be waited for any more.
            self._missing.clear()
            self._first_address = None

    def _hear_process(self, link):
        messages = self._link.read()
        for facts in messages or ():
            if "ended" in facts:
                self._ended = facts["ended"], time.monotonic() + _EXIT_SECONDS
                continue
            self._number = facts["process"]
            self._token = facts["token"]
            # All have joined.
            self._meet_until = time.monotonic() + _SILENCE_SECONDS
            self._too_late = f"has been silent for {_SILENCE_SECONDS:.0f} s"
            if self._number == 0:
                self._expect_others(facts["processes"])
            else:
                self._listener.close()
                self._first_address = tuple(facts["meeting"])
        if messages is None:
            self._selector.unregister(link)
            self._after_process(self._process.wait())

    def _after_process(self, status):
        if self._ended is not None:
            [status, _] = self._ended
        if status == 0 or (status == _INTERRUPTED and self._ended is not None):
            self._end(status, {"done": self._number})
        elif status == -signal.SIGABRT and self._number is None:
            # What JAX does when its patience is at an end.
            self._relay.after(
                f"yoto: not all processes came to {self._coordinator} in time; start "
                "all of them, with the same --coordinator and --processes"
            )
            self._relay.finish(shown=False)
            self._status = LOST
        elif status in (MAYBE_ANOTHER, -signal.SIGABRT):
            self._doubt_until = time.monotonic() + _DOUBT_SECONDS
        else:
            self._blame_own(status)

    def _blame_own(self, status):
        how = f"ended with status {status}"
        if status == _INTERRUPTED:
            how = "was interrupted"
        elif status < 0:
            how = f"was ended by {signal.Signals(-status).name}"
            self._relay.after(f"yoto: the training {how}; --resume carries on")
        status = status if status > 0 else 128 - status
        self._end(status, {"lost": self._named(), "how": how})

    def _named(self):
        return f"process {self._number} on {socket.gethostname()}"

    def _end(self, status, message):
        self._relay.finish(shown=True)
        self._doubt_until = None
        self._farewell = (status, message, time.monotonic() + _CALL_SECONDS)
        # Those who have called hear it now.
        self._tell(message)
        self._say_farewell()

    def _say_farewell(self):
        """Ends with a message to the others, once all of them can hear it."""
        status, message, until = self._farewell
        waiting = self._missing or self._first_address is not None
        if not waiting or time.monotonic() > until:
            self._tell(message)
            self._status = status

    def _call_first(self):
        """Calls the supervisor of process 0, which may not have been started yet."""
        address = self._first_address
        try:
            connection = socket.create_connection(address, timeout=_ATTEMPT_SECONDS)
        except OSError as error:
            if time.monotonic() > self._meet_until:
                how = f"cannot be reached: {error.strerror or error}"
                self._lose(f"process 0 on {address[0]}", how)
            return
        self._first_address = None
        self._add(connection, f"process 0 on {address[0]}")
        hello = {"hello": self._named(), "process": self._number}
        self._tell({**hello, "token": self._token})

    def _accept_supervisor(self, listener):
        connection, _ = listener.accept()
        self._add(connection, None)

    def _add(self, connection, name):
        connection.settimeout(_BEAT_SECONDS)
        self._peers[connection] = _Peer(JsonLines(connection), name)
        self._selector.register(connection, selectors.EVENT_READ, self._hear_peer)

    def _hear_peer(self, connection):
        peer = self._peers[connection]
        messages = peer.lines.read()
        for message in messages or ():
            peer.heard = time.monotonic()
            if "hello" in message and peer.name is None:
                self._welcome(peer, message)
            elif "refused" in message and peer.name is not None:
                self._give_up(message["refused"], status=2)
                return
            elif "done" in message:
                peer.done = True
            elif "lost" in message and peer.name is not None:
                self._lose(message["lost"], message["how"])
                return
        if messages is None:
            self._selector.unregister(connection)
            connection.close()
            del self._peers[connection]
            # Whoever never said who it is does not belong here.
            if peer.name is not None and not peer.done:
                self._lose(peer.name, "is gone")

    def _welcome(self, peer, hello):
        number = hello.get("process")
        if hello.get("token") != self._token:
            reason = (
                f"{self._named()} was started with another --processes, or is of "
                "another training"
            )
        elif number not in self._missing:
            reason = f"there is a process {number} at {self._coordinator} already"
        else:
            peer.name = hello["hello"]
            self._missing.discard(number)
            return
        peer.lines.write({"refused": reason})

    def _watch_time(self):
        now = time.monotonic()
        if self._first_address is not None:
            self._call_first()
        if self._ended is not None and now > self._ended[1]:
            self._kill()
        if now - self._beaten > _BEAT_SECONDS:
            self._beaten = now
            self._tell({"beat": self._number})
        how = f"has been silent for {_SILENCE_SECONDS:.0f} s"
        for peer in self._peers.values():
            if peer.name and not peer.done and now - peer.heard > _SILENCE_SECONDS:
                self._lose(peer.name, how)
                return
        if self._missing and now > self._meet_until:
            self._lose(f"process {min(self._missing)}", self._too_late)
            return
        if self._doubt_until is not None and now > self._doubt_until:
            self._blame_own(self._process.wait())
        elif self._farewell is not None:
            self._say_farewell()

    def _lose(self, name, how):
        """Ends everything here because another process is lost."""
        if self._farewell is not None or self._ended is not None:
            # It is over here, and has been told or will be.
            return
        self._tell({"lost": name, "how": how})
        self._give_up(f"{name} {how}; --resume carries on from the last checkpoint")

    def _give_up(self, reason, status=LOST):
        self._kill()
        self._process.wait()
        self._relay.after(f"yoto: {printable(reason)}")
        self._relay.finish(shown=False)
        self._status = status

    def _kill(self):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)

    def _tell(self, message):
        for peer in list(self._peers.values()):
            peer.lines.write(message)


class _Peer:
    def __init__(self, lines, name):
        self.lines, self.name = lines, name
        self.heard, self.done = time.monotonic(), False


def _listener(port):
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", port), family=socket.AF_INET6, dualstack_ipv6=True
        )
    return socket.create_server(("", port))
