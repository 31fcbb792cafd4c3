"""Messages that processes send each other over a socket: one line of JSON each."""

import json


class JsonLines:
    """The messages of a socket.

    Args:
        connection: a connected socket.
    """

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
