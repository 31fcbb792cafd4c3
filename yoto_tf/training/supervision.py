"""Runs one process of a training on many hosts, and ends it when another is lost.

A process that trains can neither watch nor report by itself: when the first one is
gone, JAX ends the others at once and says little; when another one is gone, an exchange
of arrays fails or waits. So a small process starts the one that trains, and these small
ones keep in touch: each is connected to that of process 0, which tells the rest.
"""

import json
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time

from yoto_tf.errors import printable
from yoto_tf.training.joining import MAYBE_ANOTHER, SUPERVISOR

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
_COMMAND = [sys.executable, "-m", "yoto_tf.cli"]
# From such a line on, what the training says is held until it is known who is to blame.
_ALARM = re.compile(
    rb"F\d{4} |\d{4}-\d\d-\d\d [\d:.]+: F |terminate called|Traceback \(most recent"
    rb"|E\d{4} .*coordination|\d{4}-\d\d-\d\d [\d:.]+: E .*coordination"
)


def supervise(arguments, coordinator):
    """Runs `yoto ARGUMENTS` in a process of its own, as one of many.

    Args:
        arguments: of the command line.
        coordinator: where the processes meet, for what is said if they do not.

    Returns:
        The exit status: that of the process, or `LOST` after one line about the
        process that was lost.
    """
    return _Supervisor(arguments, coordinator).run()


class _Supervisor:
    def __init__(self, arguments, coordinator):
        self._coordinator = coordinator
        self._selector = selectors.DefaultSelector()
        self._listener = _listener()
        self._number = None
        self._token = None
        self._peers = {}
        self._missing = set()
        self._joined = None
        self._status = None
        self._doubt_until = None
        self._ended = None
        self._farewell = None
        self._beaten = 0.0
        link, far = socket.socketpair()
        self._link = _Lines(link)
        port = self._listener.getsockname()[1]
        self._process = subprocess.Popen(
            [*_COMMAND, *arguments],
            env={**os.environ, SUPERVISOR: f"{far.fileno()},{port}"},
            pass_fds=[far.fileno()],
            stderr=subprocess.PIPE,
            # A Ctrl-C is passed on by this process, once.
            start_new_session=True,
        )
        far.close()
        self._relay = _Relay(self._process.stderr)
        self._selector.register(link, selectors.EVENT_READ, self._hear_process)
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

    def _hear_process(self, link):
        messages = self._link.read()
        for facts in messages or ():
            if "ended" in facts:
                self._ended = facts["ended"], time.monotonic() + _EXIT_SECONDS
                continue
            self._number = facts["process"]
            self._token = facts["token"]
            self._joined = time.monotonic()
            if self._number == 0:
                self._missing = set(range(1, facts["processes"]))
            else:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._call_first(facts["meeting"])
        if messages is None:
            self._selector.unregister(link)
            self._after_process(self._process.wait())

    def _after_process(self, status):
        if self._ended is not None:
            [status, _] = self._ended
        if status in (0, _INTERRUPTED):
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
        if status < 0:
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
        self._say_farewell()

    def _say_farewell(self):
        """Ends with a message to the others, once they can hear it."""
        status, message, until = self._farewell
        if not self._missing or time.monotonic() > until:
            self._tell(message)
            self._status = status

    def _call_first(self, address):
        try:
            connection = socket.create_connection(tuple(address), timeout=30)
        except OSError as error:
            reason = error.strerror or error
            self._lose(f"process 0 on {address[0]}", f"cannot be reached: {reason}")
            return
        self._add(connection, f"process 0 on {address[0]}")
        hello = {"hello": self._named(), "process": self._number}
        self._tell({**hello, "token": self._token})

    def _accept_supervisor(self, listener):
        connection, _ = listener.accept()
        self._add(connection, None)

    def _add(self, connection, name):
        connection.settimeout(_BEAT_SECONDS)
        self._peers[connection] = _Peer(_Lines(connection), name)
        self._selector.register(connection, selectors.EVENT_READ, self._hear_peer)

    def _hear_peer(self, connection):
        peer = self._peers[connection]
        messages = peer.lines.read()
        for message in messages or ():
            peer.heard = time.monotonic()
            if "hello" in message and message.get("token") == self._token:
                peer.name = message["hello"]
                self._missing.discard(message.get("process"))
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

    def _watch_time(self):
        now = time.monotonic()
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
        if self._missing and now - self._joined > _SILENCE_SECONDS:
            self._lose(f"process {min(self._missing)}", how)
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
        self._kill()
        self._process.wait()
        self._relay.after(
            f"yoto: {printable(name)} {printable(how)}; --resume carries on from the "
            "last checkpoint"
        )
        self._relay.finish(shown=False)
        self._status = LOST

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


class _Lines:
    """Messages of one line of JSON over a socket."""

    _LONGEST = 10_000

    def __init__(self, connection):
        self._socket = connection
        self._rest = b""

    def read(self):
        """The messages that have come, or None at the end."""
        try:
            data = self._socket.recv(self._LONGEST)
        except OSError:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        if not data or len(self._rest) > self._LONGEST:
            return None
        try:
            messages = [json.loads(line) for line in lines]
        except ValueError:
            return None
        return [message for message in messages if isinstance(message, dict)]

    def write(self, message):
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            # Reading tells that it is gone.
            return


class _Relay:
    """Passes on what a process says on standard error, but for its last words."""

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


def _listener():
    if socket.has_dualstack_ipv6():
        return socket.create_server(
            ("", 0), family=socket.AF_INET6, dualstack_ipv6=True
        )
    return socket.create_server(("", 0))
