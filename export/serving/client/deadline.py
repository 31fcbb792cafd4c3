"""HTTP requests that end in time, whatever the server does.

The timeout of a socket starts anew with every byte. Here one clock runs from the
connection to the last byte of the answer; when the time is over, the connection is
shut down.
"""

import http.client
import socket
import threading
import time
import urllib.error
import urllib.request

_CHUNK_BYTES = 2**20


class TooSlow(Exception):
    """The time is over."""


class TooLarge(Exception):
    """An answer of more bytes than expected."""


def read_in_time(request, seconds, most):
    """The body of a server's answer.

    Args:
        request: a `urllib.request.Request`.
        seconds: from now to the last byte.
        most: bytes of the body.

    Raises:
        TooSlow, TooLarge: see above.
        urllib.error.HTTPError: a status other than 2xx; its `text` is the beginning of
            what the server says.
        OSError, http.client.HTTPException, ValueError: no answer.
    """
    end = time.monotonic() + seconds
    sockets = []
    timer = threading.Timer(seconds, _shut, [sockets])
    timer.daemon = True
    timer.start()
    try:
        opener = urllib.request.build_opener(_Http(sockets), _Https(sockets))
        try:
            with opener.open(request, timeout=seconds) as response:
                if (response.length or 0) > most:
                    raise TooLarge
                content = _read(response, most)
            # A connection that was shut down looks like an answer that has ended.
            if time.monotonic() >= end:
                raise TooSlow
            return content
        except urllib.error.HTTPError as error:
            error.text = error.read(2**12).decode(errors="replace")
            raise
    except (OSError, http.client.HTTPException, ValueError):
        # Libraries raise all sorts of errors when their connection is shut down.
        if time.monotonic() >= end:
            raise TooSlow from None
        raise
    finally:
        timer.cancel()
        for connection in sockets:
            connection.close()


def _read(response, most):
    pieces, size = [], 0
    while piece := response.read1(_CHUNK_BYTES):
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLarge
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)
    return b"".join(pieces)


def _shut(sockets):
    for connection in sockets:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            # Closed already.
            continue


def _noting(kind, sockets):
    """A function that makes connections and adds their sockets to a list.

    Copies of the sockets are added, since TLS detaches the original.

    Args:
        kind: a class of connections of `http.client`.
        sockets: the list.
    """

    def make(host, **options):
        connection = kind(host, **options)
        connect = connection._create_connection

        def create(*arguments):
            made = connect(*arguments)
            sockets.append(made.dup())
            return made

        connection._create_connection = create
        return connection

    return make


class _Http(urllib.request.HTTPHandler):
    def __init__(self, sockets):
        super().__init__()
        self._make = _noting(http.client.HTTPConnection, sockets)

    def http_open(self, request):
        return self.do_open(self._make, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, sockets):
        super().__init__()
        self._make = _noting(http.client.HTTPSConnection, sockets)

    def https_open(self, request):
        return self.do_open(self._make, request)
