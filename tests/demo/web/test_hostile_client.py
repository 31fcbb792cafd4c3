"""The page against a client that was not invited."""

import http.client
import json
import os
import socket
import time
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pytest
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.errors import DataError

pytest.importorskip("gradio", reason="the extra `web` is not installed")
STYLE = [0, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]


@pytest.fixture
def secret(tmp_path):
    """A picture that nobody has uploaded."""
    path = tmp_path / "private.png"
    Image.fromarray(np.full((64, 64, 3), (200, 30, 90), "uint8")).save(path)
    return path


def file(path, **more):
    return {"path": str(path), "meta": {"_type": "gradio.FileData"}, **more}


def asked(address, endpoint, data):
    """What the page answers to a call: its stream of events."""
    request = urllib.request.Request(
        f"{address}gradio_api/call/{endpoint}",
        json.dumps({"data": data}).encode(),
        {"Content-Type": "application/json"},
    )
    event = json.load(urllib.request.urlopen(request, timeout=60))["event_id"]
    url = f"{address}gradio_api/call/{endpoint}/{event}"
    return urllib.request.urlopen(url, timeout=60).read().decode()


def copies(name):
    folder = os.environ["GRADIO_TEMP_DIR"]
    return [names for _, _, names in os.walk(folder) if name in names]


def raw(address, method="GET", path="/config", body=None, **headers):
    """Status and text of a request whose headers may say anything."""
    place = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    chunked = headers.get("Transfer-Encoding") == "chunked"
    connection.request(method, path, body, headers, encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, answer.read().decode(errors="replace")


@pytest.mark.parametrize("more", [{}, {"is_stream": True}, {"url": "/x"}])
@pytest.mark.parametrize(
    ("endpoint", "numbers"), [("codec", [0.5, "JPEG"]), ("stylization", STYLE)]
)
def test_picture_that_nobody_uploaded(endpoint, numbers, more, address, secret):
    answer = asked(address, endpoint, [file(secret, **more), *numbers])
    assert "event: error" in answer
    assert "event: complete" not in answer
    assert not copies("private.png")


def test_a_number_that_is_a_file(address, secret):
    """Every component would copy it into the folder that is served."""
    answer = asked(address, "codec", [None, file(secret), "JPEG"])
    assert "event: complete" not in answer
    assert not copies("private.png")


def test_paths_that_leave_the_folder(address, secret):
    folder = os.environ["GRADIO_TEMP_DIR"]
    for path in (
        f"{folder}/../{os.path.relpath(secret, os.path.dirname(folder))}",
        "/dev/zero",
        "/proc/self/environ",
        folder,
    ):
        assert "event: complete" not in asked(
            address, "codec", [file(path), 0.5, "JPEG"]
        )
    # Nobody else has to wait for them.
    before = time.monotonic()
    assert "event: complete" in asked(address, "codec", [None, 0.5, "JPEG"])
    assert time.monotonic() - before < 30


def test_no_address_is_fetched(address):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.png"
        for given in (file(url), file("a.png", url=url), url):
            assert "event: complete" not in asked(
                address, "codec", [given, 0.5, "JPEG"]
            )
        for path in (f"/gradio_api/file={url}", f"/gradio_api/proxy={url}"):
            assert raw(address, path=path)[0] == 404
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "evil.example:7860", "", "10.0.0.1"],
)
def test_other_names(host, address):
    status, text = raw(address, Host=host)
    assert status == 421
    assert "--allow-host" in text


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80"])
def test_own_names(host, address):
    assert raw(address, Host=host)[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:1", "file://", "https://["],
)
def test_other_pages(origin, address):
    for method, path in (("POST", "/gradio_api/call/codec"), ("GET", "/config")):
        assert raw(address, method, path, "{}", Origin=origin)[0] == 403


def test_own_page(address):
    body = json.dumps({"data": [None, 0.5]})
    headers = {"Origin": address.rstrip("/"), "Content_Type": "application/json"}
    status, _ = raw(address, "POST", "/gradio_api/call/codec", body, **headers)
    assert status == 200


def form(name, content):
    """A file in the form in which browsers send it."""
    head = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"'
    head += "\r\nContent-Type: image/png\r\n\r\n"
    return head.encode() + content + b"\r\n--x--\r\n"


def upload(address, body, **headers):
    headers = {"Content_Type": "multipart/form-data; boundary=x", **headers}
    return raw(address, "POST", "/gradio_api/upload", body, **headers)


def test_quota_of_all_uploads(address, monkeypatch):
    assert upload(address, form("a.png", b"a"))[0] == 200
    monkeypatch.setattr("yoto_tf.demo.web.guard.QUOTA_BYTES", 10**4)
    assert upload(address, form("b.png", bytes(10**4)))[0] == 507
    monkeypatch.undo()
    assert upload(address, form("b.png", bytes(10**4)))[0] == 200


def test_many_files_in_one_upload(address):
    twice = form("a.png", bytes(15 * 2**20)).removesuffix(b"--\r\n") + b"\r\n"
    assert upload(address, twice + form("b.png", bytes(15 * 2**20)))[0] == 413


def test_upload_of_no_announced_size(address):
    status, _ = upload(address, iter([b"a"]), Transfer_Encoding="chunked")
    assert status == 411


def test_request_larger_than_any(address):
    body = json.dumps({"data": ["a" * 2**21, 0.5]})
    status, _ = raw(address, "POST", "/gradio_api/call/codec", body)
    assert status == 413


@pytest.mark.parametrize(
    "name",
    ["../../escaped.png", "a/b.png", "<img src=x onerror=alert(1)>.png", "a\x1b.png"],
)
def test_names_of_uploads(name, address):
    status, text = upload(address, form(name, b"no picture"))
    assert status in (200, 400)
    if status == 200:
        [path] = json.loads(text)
        assert os.path.realpath(path).startswith(os.environ["GRADIO_TEMP_DIR"])
        answer = asked(address, "codec", [file(path), 0.5, "JPEG"])
        assert "event: complete" not in answer
        assert "<img" not in answer
        assert "\x1b" not in answer


def test_a_machine_with_many_addresses(untrained_codec, photograph):
    from yoto_tf.demo.web import serve

    models = {"codec": untrained_codec}
    with serve(models, photograph[:80, :80], "0.0.0.0", 0, ["demo.example.org"]) as url:
        address = url.replace("0.0.0.0", "127.0.0.1")
        for host in ("192.168.1.7:7860", "[fe80::1]", socket.gethostname()):
            assert raw(address, Host=host)[0] == 200
        assert raw(address, Host="evil.example")[0] == 421
        proxied = {"Host": "demo.example.org", "Origin": "https://demo.example.org"}
        assert raw(address, **proxied)[0] == 200
        behind = {"Host": "127.0.0.1:7860", "Origin": "https://demo.example.org"}
        assert raw(address, **behind)[0] == 200


def test_picture_that_takes_too_long(photograph, tmp_path):
    """Its process is killed, and the next one reads the next picture."""
    from yoto_tf.demo.web.reader import Reader

    Image.fromarray(photograph).save(tmp_path / "a.png")
    os.mkfifo(tmp_path / "never.png")
    reader = Reader(seconds=2)
    try:
        image, note = reader.read(tmp_path / "a.png", 10**4)
        assert "Scaled down" in note
        assert image.shape[0] * image.shape[1] <= 10**4
        before = time.monotonic()
        with pytest.raises(DataError, match="cannot be read in time"):
            reader.read(tmp_path / "never.png")
        assert time.monotonic() - before < 10
        again, _ = reader.read(tmp_path / "a.png", 10**4)
        np.testing.assert_array_equal(image, again)
        with pytest.raises(DataError, match="been deleted"):
            reader.read(tmp_path / "no such.png")
    finally:
        reader.close()


def test_names_go_with_the_page(capsys):
    assert main(["demo", "--allow-host", "demo.example.org"]) == 2
    assert capsys.readouterr().err == "yoto: --allow-host goes with --web\n"
