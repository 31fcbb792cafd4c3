import gzip
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import types
import urllib.request
import warnings
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from http_servers import running

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.data import write_image
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.cache import locked, place_of
from yoto_tf.zoo.downloads import _Redirects
from yoto_tf.zoo.release_folder import read_release


class Handler(SimpleHTTPRequestHandler):
    """Static files; the requests are kept on the server."""

    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path in self.server.refused:
            return self.send_error(self.server.refused[self.path])
        # A server that follows tensorflow_hub's protocol; see docs/hub.md.
        if self.server.rewrites:
            path, _, query = self.path.partition("?")
            if query == "tf-hub-format=compressed" and not path.endswith(".tar.gz"):
                self.path = f"{path}.tar.gz"
        super().do_GET()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path):
    """Serves its `.root` at `.address`, and has the `.requests`."""
    root = tmp_path / "www"
    root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=root))
    server.root, server.requests, server.rewrites = root, [], False
    server.refused = {}
    server.address = f"http://127.0.0.1:{server.server_port}"
    with running(server):
        yield server


@pytest.fixture
def exported(release_folder, tmp_path):
    """A folder as `yoto export` writes it, as far as loading from it is concerned."""
    folder = tmp_path / "exported"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    shutil.copytree(release_folder, folder / "release")
    return folder


def archive_of(folder):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        archive.add(folder, ".")
    return buffer.getvalue()


@pytest.fixture
def published(server, exported):
    """A handle, and the file behind it."""
    path = server.root / "codec" / "1.tar.gz"
    path.parent.mkdir()
    path.write_bytes(archive_of(exported))
    return f"{server.address}/codec/1.tar.gz", path


def refusal(handle, cache):
    """The message with which a handle is refused, having left nothing behind."""
    before = outside(cache)
    with pytest.raises(RecipeError) as caught:
        zoo.load(handle)
    assert not cache.exists() or os.listdir(cache) == []
    assert outside(cache) == before
    assert "\n" not in str(caught.value)
    return str(caught.value)


def outside(cache):
    """All that lies beside the cache."""
    inside = {cache, *cache.rglob("*")}
    return sorted(set(cache.parent.rglob("*")) - inside)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_exported_folder_loads(exported, untrained_codec):
    assert zoo.load(exported).model_id == untrained_codec.model_id


def test_saved_model_of_somebody_else_is_refused(exported):
    shutil.rmtree(exported / "release")
    with pytest.raises(RecipeError, match="a SavedModel, but without a release/ in it"):
        zoo.load(exported)


def test_handle_loads_the_model(published, cache, untrained_codec, photograph):
    image = photograph[:64, :96]
    codec = zoo.load(published[0])
    assert codec.model_id == untrained_codec.model_id
    data = codec.compress(image, quality=0.5)
    assert data == untrained_codec.compress(image, quality=0.5)


def test_second_load_asks_nobody(published, server, cache):
    first = zoo.release_of(published[0])
    assert server.requests == [
        "/codec/1.tar.gz?tf-hub-format=compressed",
        "/codec/1.tar.gz.sha256",
    ]
    # Were it asked, it would now have something else: a version is never replaced.
    published[1].write_bytes(b"")
    assert zoo.release_of(published[0]).id == first.id
    assert len(server.requests) == 2


def test_tensorflow_hub_finds_what_was_downloaded(published, server, cache):
    hub = pytest.importorskip("tensorflow_hub")
    release = zoo.release_of(published[0])
    folder = hub.resolve(published[0])
    assert read_release(f"{folder}/release").id == release.id
    assert len(server.requests) == 2


def test_what_tensorflow_hub_downloaded_is_found(published, server, cache):
    hub = pytest.importorskip("tensorflow_hub")
    hub.resolve(published[0])
    zoo.release_of(published[0])
    assert server.requests == ["/codec/1.tar.gz?tf-hub-format=compressed"]


def test_server_with_the_protocol_of_tensorflow_hub(published, server, cache):
    server.rewrites = True
    (server.root / "codec" / "1.tar.gz.sha256").write_text(f"{digest(published[1])}  x")
    handle = f"{server.address}/codec/1"
    release = zoo.release_of(handle)
    assert zoo.release_of(f"{handle}#sha256={digest(published[1])}").id == release.id
    assert server.requests[1:] == ["/codec/1.tar.gz.sha256"]


def test_pinned_archive(published, server, cache):
    right = f"{published[0]}#sha256={digest(published[1])}"
    wrong = f"{published[0]}#sha256={'0' * 64}"
    assert f"expected {'0' * 64}" in refusal(wrong, cache)
    zoo.release_of(right)
    with pytest.raises(RecipeError, match=rf"is cached .*, expected {'0' * 64}$"):
        zoo.release_of(wrong)
    zoo.release_of(published[0])
    # The pin makes the server's own word superfluous.
    assert len(server.requests) == 2


def test_pin_is_compared_with_all_that_is_cached(published, cache):
    pinned = f"{published[0]}#sha256={digest(published[1])}"
    zoo.release_of(pinned)
    [path] = cache.glob("*/release/README.md")
    path.write_text(path.read_text() + "Another word.")
    with pytest.raises(RecipeError, match="with other files than its archive has"):
        zoo.release_of(pinned)
    shutil.rmtree(path.parents[1])
    zoo.release_of(pinned)
    (path.parent / "one_more").write_bytes(b"")
    with pytest.raises(RecipeError, match="with other files than its archive has"):
        zoo.release_of(pinned)


def test_descriptor_is_no_proof_of_a_pin(published, exported, cache):
    """A text file that says so beside other content, as version 0.2 believed."""
    name = hashlib.sha1(published[0].encode()).hexdigest()
    shutil.copytree(exported, cache / name)
    (cache / f"{name}.descriptor.txt").write_text(f"SHA-256: {'0' * 64}\n")
    with pytest.raises(RecipeError, match="with SHA-256 unknown, expected"):
        zoo.release_of(f"{published[0]}#sha256={'0' * 64}")


def test_unchecked_copy_does_not_pass_for_a_pinned_one(published, cache):
    hub = pytest.importorskip("tensorflow_hub")
    pinned = f"{published[0]}#sha256={digest(published[1])}"
    hub.resolve(published[0])
    with pytest.raises(RecipeError, match="with SHA-256 unknown, expected"):
        zoo.release_of(pinned)
    # Nor does one that took the place of a checked one.
    shutil.rmtree(cache)
    zoo.release_of(pinned)
    [folder] = (path for path in cache.iterdir() if path.is_dir())
    shutil.rmtree(folder)
    hub.resolve(published[0])
    with pytest.raises(RecipeError, match="with SHA-256 unknown, expected"):
        zoo.release_of(pinned)


def test_checksum_of_the_server(published, server, cache):
    beside = server.root / "codec" / "1.tar.gz.sha256"
    beside.write_text(f"{'0' * 64}  1.tar.gz\n")
    assert f"expected {'0' * 64}" in refusal(published[0], cache)
    # What a server may say of any address it does not know.
    beside.write_text("<!doctype html><title>Welcome</title>" + 64 * " ")
    zoo.release_of(published[0])


@pytest.mark.parametrize("code", [403, 500, 503])
def test_server_that_keeps_its_checksum_to_itself(code, published, server, cache):
    """Only "not there" means that there is none."""
    server.refused = {"/codec/1.tar.gz.sha256": code}
    message = refusal(published[0], cache)
    assert f"1.tar.gz.sha256 cannot be fetched: the server says {code}" in message
    server.refused = {"/codec/1.tar.gz.sha256": 410}
    zoo.release_of(published[0])


def test_redirection_out_of_encryption():
    request = urllib.request.Request("https://models.example.org/codec/1.tar.gz")
    follow = _Redirects().redirect_request
    for address in ("http://models.example.org/1.tar.gz", "ftp://example.org/1.tar.gz"):
        with pytest.raises(RecipeError, match="expected an address of https"):
            follow(request, None, 302, "Found", {}, address)
    address = "https://elsewhere.example.org/1.tar.gz"
    assert follow(request, None, 302, "Found", {}, address).full_url == address


def test_missing_version(published, cache):
    handle = published[0].replace("1.tar.gz", "2.tar.gz")
    assert refusal(handle, cache) == (
        f"{handle} cannot be fetched: the server says 404 File not found"
    )


def test_server_out_of_reach(cache):
    assert "Connection refused" in refusal("http://127.0.0.1:1/codec/1", cache)


@pytest.mark.parametrize("part", [0.01, 0.5, 0.999])
def test_truncated_archive(part, published, cache):
    data = published[1].read_bytes()
    published[1].write_bytes(data[: int(part * len(data))])
    assert "not a complete .tar.gz" in refusal(published[0], cache)


def test_empty_archive(published, cache):
    published[1].write_bytes(b"")
    assert "not a complete .tar.gz" in refusal(published[0], cache)


def test_archive_that_ends_between_two_files(published, exported, cache):
    """tensorflow_hub takes it, without the files that are missing."""
    plain = gzip.decompress(published[1].read_bytes())
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        last = archive.getmembers()[-1]
    published[1].write_bytes(gzip.compress(plain[: last.offset]))
    assert "no end mark" in refusal(published[0], cache)
    hub = pytest.importorskip("tensorflow_hub")
    hub.resolve(published[0])
    shutil.rmtree(cache)
    damaged = plain[: last.offset] + b"x" * 512 + plain[last.offset + 512 :]
    published[1].write_bytes(gzip.compress(damaged))
    assert "no end mark" in refusal(published[0], cache)


def test_download_that_breaks_off(published, server, cache, monkeypatch):
    size = published[1].stat().st_size

    def copy(self, source, target):
        target.write(source.read(size // 2))

    monkeypatch.setattr(Handler, "copyfile", copy)
    message = refusal(published[0], cache)
    assert message.endswith(f"is truncated: {size // 2} bytes of {size} came")


def test_bit_flipped_archive(published, cache):
    data = bytearray(published[1].read_bytes())
    data[len(data) // 2] ^= 1
    published[1].write_bytes(data)
    assert "not a complete .tar.gz" in refusal(published[0], cache)


def test_page_instead_of_an_archive(published, cache):
    published[1].write_text("<!doctype html><title>Welcome</title>")
    assert "not a complete .tar.gz archive: not a gzipped file" in refusal(
        published[0], cache
    )


@pytest.mark.parametrize(
    "name", ["../escaped", "variables/../../escaped", "{tmp}/escaped", "../{cached}/a"]
)
def test_path_out_of_the_folder(name, published, exported, tmp_path, cache):
    cached = hashlib.sha1(published[0].encode()).hexdigest()
    name = name.format(tmp=tmp_path, cached=cached)
    write_with(published[1], exported, tarfile.TarInfo(name))
    assert "leads out of its folder" in refusal(published[0], cache)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_link_or_device(kind, published, exported, cache):
    member = tarfile.TarInfo("variables/link")
    member.type = kind
    member.linkname = "../../../etc/passwd"
    write_with(published[1], exported, member)
    assert "neither a file nor a folder" in refusal(published[0], cache)


def write_with(path, folder, member):
    """Writes the archive of a folder with another member at its end."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(folder, ".")
        archive.addfile(member)


@pytest.mark.parametrize("cut", [0, 1000])
def test_damaged_release_is_asked_for_again(cut, published, exported, cache):
    weights = exported / "release" / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:cut])
    published[1].write_bytes(archive_of(exported))
    assert "its release/ is a damaged release" in refusal(published[0], cache)
    weights.write_bytes(whole)
    published[1].write_bytes(archive_of(exported))
    zoo.release_of(published[0])


def test_saved_model_without_a_release_is_not_cached(published, exported, cache):
    shutil.rmtree(exported / "release")
    published[1].write_bytes(archive_of(exported))
    assert "its release/ is not a released model" in refusal(published[0], cache)


def test_release_that_was_damaged_in_the_cache(published, cache):
    zoo.release_of(published[0])
    [path] = cache.glob("*/release/weights.safetensors")
    path.write_bytes(b"")
    with pytest.raises(RecipeError, match=r"delete the folder, and http.*again$"):
        zoo.release_of(published[0])


def test_saved_model_below_a_folder(published, exported, cache):
    published[1].write_bytes(archive_of(exported.parent / "exported" / "release"))
    assert "no SavedModel at its root" in refusal(published[0], cache)


def test_incomplete_copy_in_the_cache(published, cache):
    """As a cleaner of temporary folders leaves it."""
    zoo.release_of(published[0])
    [path] = cache.glob("*/saved_model.pb")
    path.unlink()
    with pytest.raises(RecipeError, match=f"in {path.parent}, which is incomplete"):
        zoo.load(published[0])


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("http://127.0.0.1:1/codec", "names no version: expected http://HOST/NAME/VER"),
        ("http://127.0.0.1:1/codec/latest.tar.gz", "names no version"),
        ("http://127.0.0.1:1/codec/1?a=b", "names no version"),
        ("gs://bucket/codec/1", "expected gs://BUCKET/NAME/VERSION.tar.gz"),
        ("kaggle://owner/codec/tensorFlow2/1", "expected kaggle://OWNER/MODEL/FRAME"),
        ("ftp://127.0.0.1/codec/1", "expected http://, https://, gs://, kaggle://"),
        ("http://127.0.0.1:1/codec/1#sha256=12", "64 hexadecimal digits"),
        ("http://127.0.0.1:1/codec/1#md5=12", "64 hexadecimal digits"),
        (f"kaggle://a/b/c/d/1#sha256={'0' * 64}", "kagglehub has its own checksums"),
        ("http://[/codec/1", "cannot be fetched"),
    ],
)
def test_malformed_handle(handle, message, cache):
    assert message in refusal(handle, cache)


def test_cache_is_the_users_own(published, monkeypatch, tmp_path):
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("platformdirs.user_cache_path", _in_xdg_cache_home)
    zoo.release_of(published[0])
    [folder] = (tmp_path / "home" / "yoto_tf" / "models").iterdir()
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def _in_xdg_cache_home(name, **_):
    return Path(os.environ["XDG_CACHE_HOME"], name)


def test_killed_download_leaves_no_lock(published, server, cache):
    """The next process starts its own at once, and clears away what the first left."""
    started = threading.Event()
    go_on = threading.Event()
    handle = published[0]

    def copy(self, source, target):
        target.write(source.read(1000))
        started.set()
        go_on.wait(60)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(Handler, "copyfile", copy)
        script = "import sys; from yoto_tf import zoo; zoo.release_of(sys.argv[1])"
        process = subprocess.Popen([sys.executable, "-c", script, handle])
        assert started.wait(120)
        process.kill()
        process.wait()
        go_on.set()
    assert len(list(cache.glob(".*.tmp"))) == 1
    before = time.monotonic()
    zoo.release_of(handle)
    assert time.monotonic() - before < 10
    assert [path.is_dir() for path in cache.iterdir()] == [True]


def test_lock_of_tensorflow_hub_is_not_waited_for(published, cache):
    cache.mkdir()
    name = hashlib.sha1(published[0].encode()).hexdigest()
    (cache / f"{name}.lock").write_text("host.1.0123456789abcdef")
    zoo.release_of(published[0])


def test_whoever_waits_says_for_what(published, cache, capfd):
    released = threading.Event()
    with locked(place_of(published[0]), published[0]):
        waits = threading.Thread(
            target=lambda: (zoo.release_of(published[0]), released.set())
        )
        waits.start()
        time.sleep(4)
        assert not released.is_set()
    waits.join(60)
    assert released.is_set()
    expected = f"waiting for another process that downloads {published[0]}\n"
    assert expected in capfd.readouterr().err


def test_google_cloud_storage(exported, cache, monkeypatch, untrained_codec, tmp_path):
    """Its file system, which nothing here can reach, is played by the local one."""
    import tensorflow as tf

    bucket = tmp_path / "bucket"
    bucket.mkdir()
    (bucket / "1.tar.gz").write_bytes(archive_of(exported))
    open_file = tf.io.gfile.GFile
    monkeypatch.setattr(
        tf.io.gfile,
        "GFile",
        lambda path, mode: open_file(path.replace("gs://codec", str(bucket)), mode),
    )
    assert zoo.release_of("gs://codec/1.tar.gz").id == untrained_codec.model_id
    shutil.rmtree(cache)
    assert "cannot be fetched" in refusal("gs://codec/2.tar.gz", cache)


def test_kaggle(exported, cache, monkeypatch, untrained_codec):
    def model_download(handle):
        if handle == "owner/codec/tensorFlow2/small/1":
            return str(exported)
        raise ValueError("no such model\nat all")

    kagglehub = types.SimpleNamespace(model_download=model_download)
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)
    release = zoo.release_of("kaggle://owner/codec/tensorFlow2/small/1")
    assert release.id == untrained_codec.model_id
    message = refusal("kaggle://owner/codec/tensorFlow2/small/2", cache)
    assert message.endswith("/2 cannot be fetched: no such model")


def test_kaggle_without_kagglehub(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    message = refusal("kaggle://owner/codec/tensorFlow2/small/1", cache)
    assert message.endswith("not installed: pip install kagglehub")


def test_without_tensorflow(published, cache, monkeypatch):
    for name in ("tensorflow", "tensorflow_hub"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "otherwise give a folder" in refusal("gs://codec/1.tar.gz", cache)
    assert zoo.release_of(published[0]).family == "codec"


def test_command_takes_a_handle(published, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    image = np.zeros((16, 16, 3), "uint8")
    write_image("a.png", image)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert main(["compress", "a.png", "a.yoto", "--model", published[0]]) == 0
    assert main(["decompress", "a.yoto", "b.png", "--model", published[0]]) == 0
    capsys.readouterr()
    missing = published[0].replace("1.tar.gz", "2.tar.gz")
    assert main(["compress", "a.png", "c.yoto", "--model", missing]) == 2
    assert capsys.readouterr().err == (
        f"yoto: {missing} cannot be fetched: the server says 404 File not found\n"
    )
