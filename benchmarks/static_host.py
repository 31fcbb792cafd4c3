"""A web host that sends files, and the policy of their page, on the loopback."""

import contextlib
import functools
import http.server
import re
import threading
from pathlib import Path


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def end_headers(self):
        """Sends what the page has as <meta>, and what only a header can say."""
        page = Path(self.directory, "index.html").read_text("utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
        if policy:
            whole = f"{policy[1]}; frame-ancestors 'none'"
            self.send_header("Content-Security-Policy", whole)
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def hosted(folder):
    """Serves a folder; gives its address."""
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
