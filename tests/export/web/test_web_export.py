"""The folder of the web page: what is in it, and the network without a browser."""

import json
import re

import exported_page
import numpy as np
import pytest
from PIL import Image

from yoto_tf.cli import main
from yoto_tf.data import read_image
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export import export
from yoto_tf.export.web import page, runtime, stylizer_page


@pytest.fixture(scope="module")
def site(model_of, tmp_path_factory):
    """The folder, with empty files in place of TensorFlow.js."""
    folder = tmp_path_factory.mktemp("web") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "fetch", exported_page.write_empty_files)
        export(model_of("stylizer"), folder, "web")
    return folder


@pytest.mark.parametrize(("height", "width"), [(64, 64), (50, 81)])
def test_network_gives_what_keras_does(height, width, site, model_of, photograph):
    stylizer = model_of("stylizer")
    image = photograph[None, :height, 200 : 200 + width].astype("float32") / 255
    for style, content in (([1, 0, 0], 0.01), ([0, 0.3, 0.7], 1.0)):
        inputs = {
            "image": image,
            "style": np.float32([style]),
            "coefficients": np.float32([[content, 0.1, 0.5, 0.02, 1.0]]),
        }
        found = exported_page.graph(site / "network")("image", **inputs)
        expected = np.array(stylizer.model(inputs))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert np.std(found) > 0.01


def test_weights_take_two_bytes_each(site, model_of):
    network = model_of("stylizer").model
    # The page has no use for the encoder of paintings.
    count = network.count_params() - network.style_encoder.count_params()
    size = (site / "network" / "weights.bin").stat().st_size
    assert 2 * count <= size < 2 * count + 2000


def test_page_is_told_the_styles_and_dials(site, model_of):
    stylizer = model_of("stylizer")
    found = exported_page.described(site)
    assert tuple(found["styles"]) == stylizer.styles
    assert found["first"] == 0
    assert [dial["name"] for dial in found["dials"]] == list(
        stylizer.coefficients.names
    )
    for dial in found["dials"]:
        values = dial["values"]
        distribution = stylizer.coefficients.independent[dial["name"]]
        assert len(values) == stylizer_page.STEPS
        assert values[0] == pytest.approx(distribution.low)
        assert values[50] == pytest.approx(distribution.quantile(0.5), rel=1e-5)
        assert values[-1] == pytest.approx(distribution.high)


def test_a_picture_of_what_each_style_makes(site, model_of):
    stylizer = model_of("stylizer")
    with Image.open(site / "photograph.jpg") as picture:
        assert picture.size == (768, 432)
        small = np.asarray(picture.resize((144, 81), Image.Resampling.LANCZOS))
    painted = [
        stylizer.stylize(small, style).astype(float) for style in stylizer.styles
    ]
    for number in range(len(painted)):
        found = read_image(site / "styles" / f"{number}.jpg")
        differences = [np.abs(found - picture).mean() for picture in painted]
        assert np.argmin(differences) == number


def test_text_cannot_end_the_script_element(tmp_path):
    start = '<script type="application/json" id="description">'
    text = page.filled(
        f"{start}{{}}</script>", {"styles": ["</script><b>"], "dials": []}
    )
    assert text.count("</script>") == 1
    assert json.loads(text[len(start) : -len("</script>")])["styles"] == [
        "</script><b>"
    ]


def test_manifest_counts_every_other_byte(site):
    manifest = json.loads((site / "yoto.json").read_text("utf-8"))
    assert manifest["family"] == "stylization"
    found = {
        path.relative_to(site).as_posix(): path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and path.name != "yoto.json"
    }
    assert manifest["files"] == found
    assert {f"runtime/{name}" for name in exported_page.FILES} < set(found)


def test_page_names_files_that_exist_and_no_other_host(site):
    named = set()
    for path in site.iterdir():
        if path.suffix not in (".html", ".css", ".js", ".svg"):
            continue
        text = path.read_text("utf-8")
        addresses = re.findall(r"""(?:https?:)?//[\w-]+\.[\w.-]+[^"'\s]*""", text)
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}
        named |= set(re.findall(r"""["'](?:\./)?([\w/.-]+\.\w{2,4})["']""", text))
    named.discard("painting.png")
    assert len(named) > 8
    for name in named:
        assert (site / name).is_file(), name


def test_policy_allows_the_page_itself_and_nothing_else(site):
    text = (site / "index.html").read_text("utf-8")
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    directives = dict(part.split(None, 1) for part in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["form-action"] == directives["base-uri"] == "'none'"
    for sources in directives.values():
        allowed = {"'none'", "'self'", "blob:", "'wasm-unsafe-eval'"}
        assert set(sources.split()) <= allowed
    # None of what the policy would have to allow by exception.
    assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*(src=|json))", text)


def test_every_control_has_a_label(site):
    text = (site / "index.html").read_text("utf-8")
    for name in re.findall(r'<(?:select|input)[^>]* id="(\w+)"', text):
        wrapped = re.search(rf'<label class="button">[^<]*<input id="{name}"', text)
        assert wrapped or f'<label for="{name}"' in text, name


def test_other_families_are_refused(model_of, tmp_path):
    message = "shows codecs and stylizers, vae is of the family vae"
    with pytest.raises(RecipeError, match=message):
        export(model_of("vae"), tmp_path / "site", "web")
    assert not list(tmp_path.iterdir())


def test_folder_in_use_is_refused_before_anything_is_fetched(model_of, site):
    with pytest.raises(DataError, match="is not empty"):
        export(model_of("stylizer"), site, "web")


def test_command_without_npm_fails_in_one_line(model_of, tmp_path, monkeypatch, capsys):
    model_of("stylizer").save(tmp_path / "release")
    monkeypatch.setattr(runtime.shutil, "which", lambda name: None)
    arguments = ["export", str(tmp_path / "release"), str(tmp_path / "site")]
    assert main([*arguments, "--target", "web"]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "no npm on the PATH" in line
    assert [path.name for path in tmp_path.iterdir()] == ["release"]
