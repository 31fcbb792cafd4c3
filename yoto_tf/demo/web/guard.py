"""Who may ask the page for what, before Gradio sees a request.

A page on somebody's machine can be reached by every other page in their browser: by its
address, or by a name that is made to lead there (DNS rebinding). So requests are
answered only under the names that this server has, and to pages that it has served.
"""

import contextlib
import ipaddress
import os
import socket
import urllib.parse

# Of all uploaded and computed pictures together.
QUOTA_BYTES = 2**29
# A request is the path of a picture and some numbers.
LARGEST_REQUEST = 2**20
_DRAINED_BYTES = 2**26
UPLOAD = "/gradio_api/upload"
# Addresses of Gradio's that this page does not use: they fetch other addresses, write
# code or keep what users did.
_CLOSED = (
    "/gradio_api/component_server",
    "/gradio_api/custom_component",
    "/gradio_api/deep_link",
    "/gradio_api/dev",
    "/gradio_api/file=http:",
    "/gradio_api/file=https:",
    "/gradio_api/process_recording",
    "/gradio_api/proxy=",
    "/gradio_api/run-history",
    "/gradio_api/vibe",
    "/gradio_api/undo-vibe",
    "/monitoring",
)
_EVERYWHERE = ("0.0.0.0", "::", "")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
]


class Guard:
    """An ASGI application in front of another.

    Args:
        app: the application.
        host: the address that is listened on. One that stands for all addresses of a
            machine is answered under any IP address, since DNS rebinding needs a name,
            and under the machine's name.
        allow_hosts: further names, such as a proxy's.
        folder: `pathlib.Path` of the pictures.
        upload_bytes: the most that one upload may have.
    """

    def __init__(self, app, host, allow_hosts, folder, upload_bytes):
        self._app = app
        self._names = {"localhost", "127.0.0.1", "::1", *map(_name, allow_hosts)}
        self._proxies = {*map(_name, allow_hosts)}
        self._any_address = host in _EVERYWHERE
        if self._any_address:
            own = socket.gethostname().lower()
            self._names |= {own, f"{own}.local", socket.getfqdn().lower()}
        else:
            self._names.add(_name(host))
        self._folder = folder
        self._upload_bytes = upload_bytes
        self._being_uploaded = 0

    async def __call__(self, scope, receive, send):
        """Answers, or passes the request on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            # This page needs no websockets.
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope)
        if refusal:
            await _drained(receive, _size(scope) or 0)
            await _answer(send, *refusal)
            return
        size = _size(scope)
        is_upload = _path(scope).startswith(UPLOAD)
        self._being_uploaded += size * is_upload
        try:
            await self._app(scope, _limited(receive, size), _with_headers(send))
        finally:
            self._being_uploaded -= size * is_upload

    def _refusal(self, scope):
        """Status and text, or None."""
        headers = _headers(scope)
        host = headers.get("host", "")
        if not self._is_served(_name(host)):
            return 421, (
                f"{_quoted(host)} is no name of this server: start it with "
                "--allow-host NAME"
            )
        origin = headers.get("origin")
        if origin is not None and not self._is_own(origin, host):
            return 403, f"pages of {_quoted(origin)} may not use this server"
        path = _path(scope)
        if path.startswith(_CLOSED):
            return 404, "this page has no such address"
        if scope["method"] not in ("POST", "PUT", "PATCH"):
            return None
        size, most = _size(scope), LARGEST_REQUEST
        if path.startswith(UPLOAD):
            most = self._upload_bytes
        if size is None:
            return 411, "expected a request with a Content-Length"
        if size > most:
            return 413, f"expected at most {most:,} bytes, got {size:,}"
        if size + self._being_uploaded + _bytes_in(self._folder) > QUOTA_BYTES:
            return 507, "too many pictures at a time: try again in some minutes"
        return None

    def _is_served(self, name):
        if name in self._names:
            return True
        if not self._any_address:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _is_own(self, origin, host):
        """Whether a page comes from here: by the same name and port, or by a proxy."""
        try:
            place = urllib.parse.urlsplit(origin)
        except ValueError:
            return False
        if place.scheme not in ("http", "https"):
            return False
        default = {"http": ":80", "https": ":443"}[place.scheme]
        own = host.lower().removesuffix(default)
        return place.netloc.removesuffix(default) == own or (
            _name(place.netloc) in self._proxies
        )


def _name(host):
    """A host without its port, the brackets of an IPv6 address and the last dot."""
    host = host.strip().lower()
    with contextlib.suppress(ValueError):
        return str(ipaddress.IPv6Address(host))
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".")


def _headers(scope):
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in scope["headers"]
    }


def _size(scope):
    """The announced bytes of a request's body; None where it announces none."""
    text = _headers(scope).get("content-length")
    if text is None and scope["method"] in ("POST", "PUT", "PATCH"):
        return None
    return int(text) if text and text.isdecimal() else 0


def _path(scope):
    """The path, spelt in the same way for all spellings of it that Gradio takes."""
    return "/" + scope["path"].lstrip("/").lower()


def _quoted(text):
    return repr(text[:100])


def _bytes_in(folder):
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            # Gradio may delete old files meanwhile.
            with contextlib.suppress(OSError):
                total += os.stat(os.path.join(path, name)).st_size
    return total


async def _drained(receive, size):
    """Reads a refused body to its end: most clients listen only when all is sent."""
    more = 0 < size <= _DRAINED_BYTES
    while more:
        message = await receive()
        more = message.get("more_body", False)


def _limited(receive, size):
    """`receive`, for no more bytes than were announced."""
    left = size or 0

    async def limited():
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        return message if left >= 0 else {"type": "http.disconnect"}

    return limited


def _with_headers(send):
    async def add(message):
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *_HEADERS]}
        await send(message)

    return add


async def _answer(send, status, text):
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{text}\n".encode()})
