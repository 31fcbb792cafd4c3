"""Repositories for the Hugging Face Hub, with a client that keeps what it was given."""

import dataclasses
import inspect
import runpy
import shutil
import sys
import types

import pytest
from huggingface_hub import HfApi, ModelCard, errors

from yoto_tf import __version__, zoo
from yoto_tf.cli import main
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export import export
from yoto_tf.zoo.measurements import Measurement

COMMIT = "1" * 40
PSNR = Measurement("PSNR at distortion = 0.18", 37.14, "dB", "Kodak: 24 pictures")
FACTOR = Measurement("rank correlation", -1.0, "", "24 photographs")


@pytest.fixture
def measured_codec(untrained_codec):
    """An object with the one attribute that counts here."""
    release = dataclasses.replace(untrained_codec.release, measured=(PSNR, FACTOR))
    return types.SimpleNamespace(release=release)


@pytest.fixture
def written(measured_codec, tmp_path):
    export(measured_codec, tmp_path / "repository", "huggingface")
    return tmp_path / "repository"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Keeps a folder; `.asked` says for what."""

    class Hub:
        def __init__(self):
            self.asked = []

        def create_repo(self, repository, exist_ok=False):
            self.asked.append((repository, exist_ok))

        def upload_folder(
            self, *, repo_id, folder_path, commit_message, delete_patterns
        ):
            self.asked.append((repo_id, commit_message, tuple(delete_patterns)))
            shutil.copytree(folder_path, tmp_path / "hub")
            return types.SimpleNamespace(oid=COMMIT)

    hub = Hub()
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: hub)
    return hub


def test_folder_is_a_release(written, measured_codec):
    release = measured_codec.release
    again = zoo.release_of(written)
    assert again.id == release.id
    # Without what was put around it, so that it can be written once more.
    assert again.card == release.card
    assert again.measured == release.measured
    assert {path.name for path in written.iterdir()} == {
        "README.md",
        "app.py",
        "config.json",
        "measured.json",
        "requirements.txt",
        "tables.safetensors",
        "weights.safetensors",
    }


def test_summary_has_the_headline_of_the_card(written):
    from yoto_tf.zoo.release_summary import read_summary

    assert read_summary(written).headline == "Nobody trained it."


def test_hub_understands_the_card(written):
    card = ModelCard.load(written / "README.md")
    data = card.data.to_dict()
    assert data["library_name"] == "yoto_tf"
    assert data["license"] == "unknown"
    assert data["tags"] == ["keras", "loss-conditional-training", "codec"]
    assert data["pipeline_tag"] == "image-to-image"
    assert (data["sdk"], data["app_file"]) == ("gradio", "app.py")
    first, second = card.data.eval_results
    assert (first.dataset_name, first.metric_value) == ("Kodak: 24 pictures", 37.14)
    assert first.metric_name == "PSNR at distortion = 0.18, dB"
    assert (second.metric_type, second.metric_value) == ("rank-correlation", -1.0)
    assert "# Test codec" in card.text
    assert 'codec = yoto.zoo.load("hf://OWNER/NAME@REVISION")' in card.text
    assert "| distortion | 0.0018 | 0.18 |" in card.text


def test_licence_of_a_pretrained_model(pretrained, tmp_path):
    assert main(["export", "codec", str(tmp_path / "a"), "--target=huggingface"]) == 0
    data = ModelCard.load(tmp_path / "a" / "README.md").data
    assert data.license == "apache-2.0"


@pytest.mark.parametrize("kind", ["vae", "stylizer"])
def test_other_families(kind, model_of, tmp_path):
    model = model_of(kind)
    export(model, tmp_path / kind, "huggingface")
    assert zoo.release_of(tmp_path / kind).id == model.release.id
    assert ModelCard.load(tmp_path / kind / "README.md").data.pipeline_tag


@pytest.mark.parametrize("space", [None, "owner-codec.hf.space"])
def test_app_shows_the_model_beside_it(space, written, monkeypatch):
    launched = []
    monkeypatch.setattr("yoto_tf.demo.web.launch", lambda **how: launched.append(how))
    monkeypatch.delenv("SPACE_HOST", raising=False)
    if space:
        monkeypatch.setenv("SPACE_HOST", space)
    runpy.run_path(written / "app.py")
    assert launched == [
        {
            "host": "0.0.0.0" if space else "127.0.0.1",
            "allow_hosts": [space] if space else [],
            "models": {"codec": written},
        }
    ]
    requirement = (written / "requirements.txt").read_text().strip()
    assert requirement == f"yoto_tf[web]=={__version__}"


def test_upload(hub, measured_codec, tmp_path):
    handle = export(measured_codec, "hf://owner/codec", "huggingface")
    assert handle == f"hf://owner/codec@{COMMIT}"
    create, upload = hub.asked
    assert create == ("owner/codec", True)
    assert upload[0] == "owner/codec"
    assert measured_codec.release.id.hex() in upload[1]
    # Tables that only the model before had would make another id.
    assert "tables.safetensors" in upload[2]
    assert zoo.release_of(tmp_path / "hub").id == measured_codec.release.id


def test_command_says_the_handle(hub, pretrained, capsys):
    assert main(["export", "codec", "hf://a/b", "--target", "huggingface"]) == 0
    assert capsys.readouterr().out == f"hf://a/b@{COMMIT}\n"


def test_stub_takes_what_the_real_client_takes(hub):
    for name in ("create_repo", "upload_folder"):
        real = inspect.signature(getattr(HfApi, name)).parameters
        stub = inspect.signature(getattr(hub, name)).parameters
        assert set(stub) - {"repository"} <= set(real)


def test_refused_upload(hub, measured_codec, monkeypatch):
    import httpx

    def create_repo(*arguments, **options):
        request = httpx.Request("POST", "http://hub.example.org")
        response = httpx.Response(403, request=request)
        raise errors.HfHubHTTPError("403 Forbidden\n\nno", response=response)

    monkeypatch.setattr(hub, "create_repo", create_repo)
    with pytest.raises(RecipeError) as caught:
        export(measured_codec, "hf://owner/codec", "huggingface")
    assert str(caught.value) == (
        "hf://owner/codec cannot be written: 403 Forbidden (`hf auth login` says who "
        "you are)"
    )


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (f"hf://owner/codec@{COMMIT}", "give no revision"),
        ("hf://codec", "expected hf://OWNER/NAME"),
    ],
)
def test_malformed_repository(place, message, hub, measured_codec):
    with pytest.raises(RecipeError, match=message):
        export(measured_codec, place, "huggingface")
    assert not hub.asked


def test_without_huggingface_hub(measured_codec, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(RecipeError, match=r"yoto_tf\[huggingface\]"):
        export(measured_codec, "hf://owner/codec", "huggingface")


def test_network_of_your_own_is_refused(model_of, tmp_path):
    with pytest.raises(RecipeError, match="takes models of the zoo, got a LossCond"):
        export(model_of("your_own"), tmp_path / "a", "huggingface")
    assert not list(tmp_path.iterdir())


def test_folder_that_is_in_use(measured_codec, written):
    with pytest.raises(DataError, match="is not empty"):
        export(measured_codec, written, "huggingface")
