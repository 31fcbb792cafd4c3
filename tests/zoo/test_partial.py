"""Downloads that break off, from servers that can continue them and from others."""

import gzip
import http.client
import io
import os
import re
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from http_servers import running

from yoto_tf import zoo
from yoto_tf.errors import RecipeError, YotoError
from yoto_tf.zoo.cache import place_of
from yoto_tf.zoo.downloads import open_stream

FIRST = 5000


class Handler(BaseHTTPRequestHandler):
    """One archive; the server it belongs to says how far it gets."""

    def do_GET(self):
        server = self.server
        if not self.path.startswith("/codec/1.tar.gz?"):
            return self.send_error(404)
        asked = self.headers.get("Range")
        server.requests.append(asked)
        content, start, status = server.content, 0, 200
        if asked and server.ranges and self.headers["If-Range"] == server.tag:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(content):
                return self.send_error(416)
            status = 206
        self.send_response(status)
        if server.ranges:
            self.send_header("Accept-Ranges", "bytes")
        if server.tag:
            self.send_header("ETag", server.tag)
        if status == 206:
            given = server.given or f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", given)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        stop = len(content)
        if server.breaks:
            stop = server.breaks.pop(0)
        self.wfile.write(content[start:stop])
        self.wfile.flush()
        server.sent.set()
        if stop < len(content):
            server.go_on.wait(60)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(release_folder):
    """Has `.content` under `.tag`, and breaks off after each of `.breaks` bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(release_folder, "release")
        archive.addfile(tarfile.TarInfo("saved_model.pb"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.content, server.tag, server.ranges = buffer.getvalue(), '"one"', True
    server.given, server.breaks, server.requests = None, [], []
    server.sent, server.go_on = threading.Event(), threading.Event()
    server.go_on.set()
    server.handle = f"http://127.0.0.1:{server.server_port}/codec/1.tar.gz"
    with running(server):
        yield server


def fetch_whole(server, cache):
    """The model is fetched, and nothing else stays."""
    assert zoo.release_of(server.handle).family == "codec"
    assert os.listdir(cache) == [place_of(server.handle).name]


def fetch_part(server, number=FIRST):
    server.breaks = [number]
    with pytest.raises(RecipeError, match=f"is truncated: {number} bytes of "):
        zoo.release_of(server.handle)


def test_it_is_continued_where_it_broke_off(server, cache):
    fetch_part(server)
    fetch_part(server, 2 * FIRST)
    fetch_whole(server, cache)
    assert server.requests == [None, f"bytes={FIRST}-", f"bytes={2 * FIRST}-"]


def test_a_killed_process_leaves_what_came(server, cache):
    server.breaks = [FIRST]
    server.go_on.clear()
    script = "import sys; from yoto_tf import zoo; zoo.release_of(sys.argv[1])"
    process = subprocess.Popen([sys.executable, "-c", script, server.handle])
    assert server.sent.wait(120)
    part = cache / f".{place_of(server.handle).name}.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
    process.kill()
    process.wait()
    server.go_on.set()
    came = part.stat().st_size
    fetch_whole(server, cache)
    assert server.requests == [None, f"bytes={came}-"]


def test_another_file_starts_again(server, cache):
    fetch_part(server)
    server.tag = '"two"'
    server.content = gzip.compress(gzip.decompress(server.content), 1)
    fetch_whole(server, cache)


@pytest.mark.parametrize(
    "change",
    [
        {"ranges": False},
        {"tag": None},
        # Of these, equal means much the same.
        {"tag": 'W/"one"'},
        {"tag": '"two\x80"'},
    ],
)
def test_a_server_that_cannot_is_asked_for_all(change, server, cache):
    vars(server).update(change)
    fetch_part(server)
    assert os.listdir(cache) == []
    fetch_whole(server, cache)
    assert server.requests == [None, None]


@pytest.mark.parametrize(
    "given",
    ["bytes 0-9/10", "bytes 5000-5001/5002", "bytes */9", "pages 1-2/3", "\x80"],
)
def test_a_rest_that_is_none(given, server, cache):
    """Lies about the range start the download again."""
    fetch_part(server)
    server.given = given
    fetch_whole(server, cache)
    assert server.requests == [None, f"bytes={FIRST}-", None]


def test_a_part_that_nobody_asked_for(server, cache, monkeypatch):
    monkeypatch.setattr(
        Handler, "send_response", lambda self, _: self.send_response_only(206)
    )
    with pytest.raises(RecipeError, match="cannot be fetched: a part of the file came"):
        zoo.release_of(server.handle)
    assert os.listdir(cache) == []


def test_damaged_parts_are_given_up(server, cache):
    """What the first bytes were is seen when all have come; then it starts again."""
    fetch_part(server)
    [part] = cache.glob(".*.part")
    part.write_bytes(bytes(FIRST))
    with pytest.raises(RecipeError, match=r"not a complete \.tar\.gz archive"):
        zoo.release_of(server.handle)
    assert os.listdir(cache) == []
    fetch_whole(server, cache)


@pytest.mark.parametrize("size", [0, 10**6])
def test_parts_of_odd_sizes(size, server, cache):
    """None yet, and more than there is."""
    fetch_part(server)
    [part] = cache.glob(".*.part")
    part.write_bytes(bytes(size))
    fetch_whole(server, cache)


@pytest.mark.parametrize("tag", ["", '"one"\r\nHost: x', '"' + "x" * 10**6 + '"'])
def test_tags_that_are_none(tag, server, cache):
    fetch_part(server)
    [path] = cache.glob(".*.tag")
    path.write_bytes(tag.encode())
    fetch_whole(server, cache)
    assert server.requests == [None, None]


def test_limits_hold_for_both_parts_together(server, cache, monkeypatch):
    fetch_part(server)
    monkeypatch.setenv("YOTO_LIMITS", f"archive_bytes={len(server.content) - 1}")
    with pytest.raises(RecipeError, match="has more than"):
        zoo.release_of(server.handle)
    assert os.listdir(cache) == []


def test_what_came_outlives_a_server_that_is_away(server, cache, monkeypatch):
    fetch_part(server)

    def refused(_):
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(http.client.HTTPConnection, "connect", refused)
        with pytest.raises(RecipeError, match="cannot be fetched"):
            zoo.release_of(server.handle)
    fetch_whole(server, cache)
    assert server.requests == [None, f"bytes={FIRST}-"]


def test_a_full_disk_keeps_nothing(server, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("yoto_tf.zoo.partial.receive", full)
    with pytest.raises(YotoError, match="No space left on device"):
        zoo.release_of(server.handle)
    assert os.listdir(cache) == []


def test_two_at_once_make_one_copy(server, cache):
    """Threads and processes wait for one another, and write into no file at once."""
    fetch_part(server)
    script = "import sys; from yoto_tf import zoo; zoo.release_of(sys.argv[1])"
    command = [sys.executable, "-c", script, server.handle]
    processes = [subprocess.Popen(command) for _ in range(2)]
    threads = [
        threading.Thread(target=zoo.release_of, args=(server.handle,)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    fetch_whole(server, cache)
    assert len(server.requests) == 2


def test_the_rest_is_described_as_a_whole(server):
    with open_stream(server.handle, start=FIRST, tag=server.tag) as download:
        assert (download.start, download.size) == (FIRST, len(server.content))
        assert download.stream.read() == server.content[FIRST:]
