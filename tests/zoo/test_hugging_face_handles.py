"""hf:// handles, with a client in place of huggingface_hub's that reads a folder."""

import shutil
import sys
import types

import pytest
from huggingface_hub import errors

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.errors import RecipeError

FIRST, SECOND = "1" * 40, "2" * 40


class Hub:
    """Repositories with commits, and what was asked of them."""

    def __init__(self):
        self.commits, self.refs, self.asked = {}, {}, []

    def model_info(self, repository, *, revision=None, files_metadata=False):
        assert files_metadata
        self.asked.append(("info", repository, revision))
        if repository != "owner/codec":
            raise errors.RepositoryNotFoundError("404\n\nNot Found", response=answer())
        commit = self.refs.get(revision or "main", revision)
        if commit not in self.commits:
            raise errors.RevisionNotFoundError("404\n\nNot Found", response=answer())
        siblings = [
            types.SimpleNamespace(rfilename=path.name, size=path.stat().st_size)
            for path in self.commits[commit].iterdir()
        ]
        return types.SimpleNamespace(sha=commit, siblings=siblings)

    def snapshot_download(self, repository, *, revision, local_dir, allow_patterns):
        self.asked.append(("files", repository, revision))
        for path in self.commits[revision].iterdir():
            if path.name in allow_patterns:
                shutil.copy(path, local_dir)
        notes = local_dir / ".cache" / "huggingface"
        notes.mkdir(parents=True)
        (notes / "config.json.metadata").write_text(revision)
        return str(local_dir)


def answer():
    """What the errors say they were made of."""
    import httpx

    request = httpx.Request("GET", "http://hub.example.org")
    return httpx.Response(404, request=request)


@pytest.fixture
def hub(release_folder, tmp_path, monkeypatch):
    hub = Hub()
    for commit in (FIRST, SECOND):
        folder = tmp_path / commit
        shutil.copytree(release_folder, folder)
        (folder / "app.py").write_text("raise SystemExit('it was run')")
        hub.commits[commit] = folder
    hub.refs["main"] = FIRST
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    return hub


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(handle, cache):
    """The message with which a handle is refused, nothing being kept."""
    with pytest.raises(RecipeError) as caught:
        zoo.release_of(handle)
    assert not cache.exists() or list(cache.iterdir()) == []
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_commit_is_fetched_once(hub, cache, untrained_codec, capsys):
    handle = f"hf://owner/codec@{FIRST}"
    assert zoo.release_of(handle).id == untrained_codec.model_id
    assert hub.asked == [
        ("info", "owner/codec", FIRST),
        ("files", "owner/codec", FIRST),
    ]
    # Were it asked again, it would now have nothing.
    hub.commits.clear()
    assert zoo.load(handle).model_id == untrained_codec.model_id
    assert len(hub.asked) == 2
    assert capsys.readouterr().err == ""


def test_without_a_revision_the_commit_is_printed_and_the_key(hub, cache, capsys):
    zoo.release_of("hf://owner/codec")
    assert capsys.readouterr().err == (
        f"hf://owner/codec is now hf://owner/codec@{FIRST}\n"
    )
    # The same folder serves the commit, and a branch that points to it.
    zoo.release_of(f"hf://owner/codec@{FIRST}")
    zoo.release_of("hf://owner/codec@main")
    assert [kind for kind, *_ in hub.asked].count("files") == 1
    hub.refs["main"] = SECOND
    zoo.release_of("hf://owner/codec")
    assert hub.asked[-1] == ("files", "owner/codec", SECOND)
    assert len([path for path in cache.iterdir() if path.is_dir()]) == 2


def test_only_a_release_is_kept(hub, cache, release_folder):
    zoo.release_of("hf://owner/codec")
    [folder] = (path for path in cache.iterdir() if path.is_dir())
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in release_folder.iterdir()
    }


def test_damaged_release(hub, cache):
    weights = hub.commits[FIRST] / "weights.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert f"hf://owner/codec@{FIRST} cannot be used: it is a damaged release" in (
        refusal("hf://owner/codec", cache)
    )
    weights.write_bytes(whole)
    zoo.release_of("hf://owner/codec")


def test_repository_without_a_release(hub, cache):
    (hub.commits[FIRST] / "config.json").unlink()
    assert "cannot be used: it is not a released model: config.json is missing" in (
        refusal("hf://owner/codec", cache)
    )


def test_release_that_was_damaged_in_the_cache(hub, cache):
    zoo.release_of("hf://owner/codec")
    [path] = cache.glob("*/weights.safetensors")
    path.write_bytes(b"")
    with pytest.raises(RecipeError, match=r"delete the folder, and hf://.*again$"):
        zoo.release_of("hf://owner/codec")


def test_repository_beyond_a_limit(hub, cache, monkeypatch):
    monkeypatch.setenv("YOTO_LIMITS", "archive_bytes=1000")
    assert "has more than 1,000 bytes" in refusal("hf://owner/codec", cache)
    assert hub.asked == [("info", "owner/codec", None)]


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("hf://owner", "expected hf://OWNER/NAME or hf://OWNER/NAME@REVISION"),
        ("hf://owner/codec/1", "expected hf://OWNER/NAME or"),
        ("hf://owner/codec@", "expected hf://OWNER/NAME or"),
        ("hf://owner/codec@a b", "expected hf://OWNER/NAME or"),
        (f"hf://owner/codec@{FIRST}#sha256={'0' * 64}", "expected hf://OWNER/NAME or"),
        ("hf://owner/other", "there is no such repository that you may read"),
        ("hf://owner/codec@v9", "the repository has no such revision"),
        (f"hf://owner/codec@{'3' * 40}", "the repository has no such revision"),
    ],
)
def test_what_is_not_there(handle, message, hub, cache):
    assert message in refusal(handle, cache)


def test_hub_out_of_reach(hub, cache, monkeypatch):
    def model_info(*arguments, **options):
        raise ConnectionError("no route to host\nat all")

    monkeypatch.setattr(hub, "model_info", model_info)
    assert refusal("hf://owner/codec", cache) == (
        "hf://owner/codec cannot be fetched: no route to host"
    )


def test_download_that_breaks_off(hub, cache, monkeypatch):
    def snapshot_download(*arguments, local_dir, **options):
        (local_dir / "config.json").write_text("{")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub, "snapshot_download", snapshot_download)
    assert "No space left on device" in refusal("hf://owner/codec", cache)


def test_without_huggingface_hub(cache, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "pip install 'yoto_tf[huggingface]'" in refusal("hf://owner/codec", cache)
    arguments = ["compress", "a.png", "a.yoto", "--model", "hf://owner/codec"]
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_stub_takes_what_the_real_client_takes():
    """Otherwise these tests would say nothing of it."""
    import inspect

    from huggingface_hub import HfApi

    for name in ("model_info", "snapshot_download"):
        real = inspect.signature(getattr(HfApi, name)).parameters
        stub = inspect.signature(getattr(Hub, name)).parameters
        assert set(stub) - {"self", "repository"} <= set(real)
