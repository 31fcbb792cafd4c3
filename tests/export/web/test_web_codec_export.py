"""The folder of the codec's page: what is in it, and the network without a browser."""

import json
import re

import exported_page
import numpy as np
import pytest

from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.export.web import codec_page, runtime
from yoto_tf.zoo.array_file import read_arrays

NAMES = ("untrained_codec", "context_codec")


@pytest.fixture(scope="module")
def site_of(request, tmp_path_factory):
    """Function of a codec's fixture to its folder, empty files for TensorFlow.js."""
    folders = {}

    def get(name):
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp("web") / "site"
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(runtime, "fetch", exported_page.write_empty_files)
                export(request.getfixturevalue(name), folders[name], "web")
        return folders[name]

    return get


@pytest.mark.parametrize("name", NAMES)
def test_parts_give_what_keras_does(name, site_of, request, photograph):
    codec = request.getfixturevalue(name)
    run = exported_page.graph(site_of(name) / "network")
    image = photograph[None, 100:228, 200:392]
    vector = np.float32([[0.05]])
    hyper, symbols = (np.array(x) for x in codec.graphs.analyze(image, vector))

    latents = run("latents", image=image.astype("float32"), coefficients=vector)
    codes = run("hyper_latents", latents=latents, coefficients=vector)
    maps = {"hyper_latents": hyper.astype("float32"), "coefficients": vector}
    found = run("symbols", latents=latents, **maps)
    # Where a latent lies between two integers, the other may be taken.
    assert np.mean(codes.round() != hyper) < 0.01
    assert np.mean(found != symbols) < 0.01
    assert np.any(symbols)

    quantized = run("quantized", symbols=symbols.astype("float32"), **maps)
    decoded = run("decoded", quantized=quantized, coefficients=vector)
    expected = np.array(codec.graphs.synthesize(hyper, symbols, vector))
    assert np.abs(decoded - 255 * np.clip(expected, 0, 1)).max() < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_no_operation_is_left_that_webassembly_is_slow_at(name, site_of):
    model = json.loads((site_of(name) / "network" / "model.json").read_text())
    operations = {node["op"] for node in model["modelTopology"]["node"]}
    assert "Conv2D" in operations
    assert "Conv2DBackpropInput" not in operations


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_there_once(name, site_of, request):
    """But for the scale tower, which the tables have in integers."""
    model = request.getfixturevalue(name).model
    count = model.count_params()
    size = (site_of(name) / "network" / "weights.bin").stat().st_size
    assert size < 2.2 * count


def test_page_is_told_the_model(site_of, untrained_codec):
    found = exported_page.described(site_of("untrained_codec"))
    assert found["ids"] == [untrained_codec.model_id.hex()]
    assert found["range"] == [0.0018, 0.18]
    assert found["channels"]["symbols"] == 64
    assert found["channels"]["hyper_latents"] == 16
    assert found["parts"]["analysis"]["reach"] == [1, 2]
    values = untrained_codec.model.analysis.largest_map
    assert found["parts"]["analysis"]["area"] == codec_page.VALUES // values


def test_tables_are_the_releases(site_of, untrained_codec):
    stored = read_arrays(site_of("untrained_codec") / "tables.safetensors")
    tables = untrained_codec.release.tables
    assert stored.keys() == tables.keys()
    for name, array in stored.items():
        np.testing.assert_array_equal(array, tables[name])


def test_manifest_counts_every_other_byte(site_of):
    site = site_of("untrained_codec")
    manifest = json.loads((site / "yoto.json").read_text("utf-8"))
    assert manifest["family"] == "codec"
    assert manifest["signatures"]["analysis"]["outputs"]["latents"]["shape"][-1] == 64
    found = {
        path.relative_to(site).as_posix(): path.stat().st_size
        for path in site.rglob("*")
        if path.is_file() and path.name != "yoto.json"
    }
    assert manifest["files"] == found


def test_page_names_files_that_exist_and_no_other_host(site_of):
    site, named = site_of("untrained_codec"), set()
    for path in site.rglob("*"):
        if (
            path.suffix not in (".html", ".css", ".js", ".svg")
            or not path.stat().st_size
        ):
            continue
        text = path.read_text("utf-8")
        addresses = re.findall(r"""(?:https?:)?//[\w-]+\.[\w.-]+[^"'\s]*""", text)
        assert set(addresses) <= {"http://www.w3.org/2000/svg"}
        for name in re.findall(r"""["']((?:\./)?[\w/.-]+\.\w{2,11})["']""", text):
            # Modules name others from where they are, the page and its worker from it.
            folder = path.parent if name.startswith("./") else site
            assert (folder / name).is_file(), f"{path.name} names {name}"
            named.add((folder / name).name)
    assert {"blake2b.js", "thread.js", "style.css", "tables.safetensors"} < named


def test_every_control_has_a_label(site_of):
    text = (site_of("untrained_codec") / "index.html").read_text("utf-8")
    for name in re.findall(r'<(?:select|input)[^>]* id="(\w+)"', text):
        wrapped = re.search(rf'<label class="button">[^<]*<input id="{name}"', text)
        assert wrapped or f'<label for="{name}"' in text, name


def test_a_codec_without_a_hyperprior_is_refused(model_of, tmp_path):
    message = "shows codecs with a hyperprior, this one is a FactorizedPrior"
    with pytest.raises(RecipeError, match=message):
        export(model_of("FactorizedPrior"), tmp_path / "site", "web")
    assert not list(tmp_path.iterdir())
