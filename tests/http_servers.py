"""HTTP servers of tests, each in a thread of its own."""

import contextlib
import threading


@contextlib.contextmanager
def running(server):
    """Answers requests to a `socketserver` server until the context ends."""
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
