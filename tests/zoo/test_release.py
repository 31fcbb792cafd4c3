import dataclasses
import io
import json
import random
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.release import (
    Release,
    _shapes_of_network,
    check_shapes,
    join_arrays,
    set_weights,
    shapes_of,
    split_arrays,
)
from yoto_tf.zoo.release import start_from as start_from_release
from yoto_tf.zoo.release_folder import read_release, write_release
from yoto_tf.zoo.release_summary import read_summary

FORMAT_1 = Path(__file__).parents[1] / "stored" / "format_1"


@pytest.fixture
def release(untrained_codec):
    return untrained_codec.release


@pytest.fixture
def folder(release_folder, tmp_path):
    return shutil.copytree(release_folder, tmp_path / "copy")


def test_folder_round_trip(release, release_folder):
    again = read_release(release_folder)
    assert again.id == release.id
    assert again.config == release.config
    assert again.ranges == release.ranges
    assert again.card == release.card
    for ours, theirs in (
        (again.weights, release.weights),
        (again.tables, release.tables),
    ):
        assert ours.keys() == theirs.keys()
        for name in ours:
            np.testing.assert_array_equal(ours[name], theirs[name])
            assert ours[name].dtype == theirs[name].dtype


def test_weights_are_small_and_tables_are_integers(release):
    assert {array.dtype.name for array in release.weights.values()} == {"float16"}
    for name, array in release.tables.items():
        exact = np.issubdtype(array.dtype, np.integer) or name.startswith("levels/")
        assert exact, name


def test_network_has_the_stored_weights(release):
    network = release.network()
    again = Release.from_network("codec", network)
    assert again.config == release.config
    for path, array in again.weights.items():
        np.testing.assert_array_equal(array, release.weights[path])


def test_id_names_everything_that_decodes_a_file(release):
    ids = {release.id}
    for field in ("weights", "tables"):
        arrays = dict(getattr(release, field))
        name = sorted(arrays)[0]
        arrays[name] = arrays[name] + arrays[name].dtype.type(1)
        ids.add(dataclasses.replace(release, **{field: arrays}).id)
    config = json.loads(json.dumps(release.config))
    config["config"]["hyper_filters"] += 1
    ids.add(dataclasses.replace(release, config=config).id)
    assert len(ids) == 4
    assert dataclasses.replace(release, card="another").id == release.id


def test_weight_too_large_for_float16_is_refused(release):
    network = release.network()
    weight = network.log_gain.dense.bias
    weight.assign(np.full(weight.shape, 1e6))
    with pytest.raises(RecipeError, match=r"log_gain/dense/bias does not fit"):
        Release.from_network("codec", network)


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors"])
def test_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(RecipeError, match=f"not a released model: {name} is missing"):
        read_release(folder)


@pytest.mark.parametrize(
    "name", ["config.json", "weights.safetensors", "tables.safetensors"]
)
@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied"])
def test_damaged_release_is_refused(folder, name, damage):
    data = bytearray((folder / name).read_bytes())
    if damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "flipped":
        # Within a number or an array, not in what surrounds them.
        data[len(data) // 2 if name != "config.json" else data.index(b"64")] ^= 1
    else:
        data = b""
    (folder / name).write_bytes(data)
    with pytest.raises(RecipeError, match="damaged release") as caught:
        read_release(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"ranges": {"distortion": [1e-6, 1e6]}}, {"family": "vae"}]
)
def test_altered_configuration_is_refused(change, folder):
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(RecipeError):
        read_release(folder)


def test_release_without_its_tables_is_refused(folder):
    (folder / "tables.safetensors").unlink()
    with pytest.raises(RecipeError, match="its content makes the id"):
        read_release(folder)


def test_summary_needs_no_weights(folder, release):
    (folder / "weights.safetensors").unlink()
    summary = read_summary(folder)
    assert summary.family == "codec"
    assert summary.id == release.id
    assert summary.ranges == {"distortion": (0.0018, 0.18)}
    assert summary.headline == "Nobody trained it."


def test_interrupted_write_is_no_release(release, tmp_path, monkeypatch):
    from yoto_tf.zoo import release_folder

    def fail(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(release_folder, "write_atomically", fail)
    with pytest.raises(KeyboardInterrupt):
        write_release(tmp_path / "new", release)
    with pytest.raises(RecipeError, match="is missing"):
        read_release(tmp_path / "new")


def test_other_weights_are_refused(release):
    network = release.network()
    weights = dict(release.weights)
    path = sorted(weights)[0]
    with pytest.raises(RecipeError, match=f"{path} has shape"):
        set_weights(network, {**weights, path: np.zeros((1, 2), "float16")})
    del weights[path]
    with pytest.raises(RecipeError, match=f"{path} is in the network only"):
        set_weights(network, weights)


def test_start_from_a_release(release):
    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.zoo.codec import Hyperprior

    def build(high=0.18, latents=64):
        coefficients = Coefficients(distortion=LogUniform(0.0018, high))
        network = Hyperprior(coefficients, (16, 32, 48, latents), 16)
        network.build(None)
        return network

    network = build()
    start_from_release(network, release)
    weights = Release.from_network("codec", network).weights
    assert all(np.array_equal(weights[path], release.weights[path]) for path in weights)
    with pytest.raises(RecipeError, match=r"filters \[16, 32, 48, 64\], the recipe"):
        start_from_release(build(latents=32), release)
    with pytest.raises(RecipeError, match=r"low=0.0018, high=0.18, the recipe .*0.3"):
        start_from_release(build(high=0.3), release)


def test_arrays_join_and_split():
    groups = {"a": {"x": np.zeros(1), "y/z": np.ones(2)}, "b": {"x": np.ones(3)}}
    flat = join_arrays(**groups)
    assert sorted(flat) == ["a/x", "a/y/z", "b/x"]
    assert split_arrays(flat).keys() == groups.keys()
    assert split_arrays(flat)["a"]["y/z"] is groups["a"]["y/z"]


def test_pretrained_are_found_by_name(pretrained):
    assert list(zoo.names()) == ["codec"]
    assert zoo.load("codec").card == zoo.load(pretrained).card
    assert zoo.summaries()["codec"].id == zoo.load("codec").model_id


def test_unknown_name_suggests_one(pretrained):
    with pytest.raises(RecipeError, match=r"'codek'; pretrained are codec. Did you"):
        zoo.load("codek")


def test_folder_that_is_no_release(tmp_path):
    with pytest.raises(RecipeError, match=r"config.json is missing"):
        zoo.load(tmp_path)


def test_a_family_that_measures_nothing_is_named():
    with pytest.raises(RecipeError, match="family stylization, which has no evaluat"):
        zoo.evaluate("stylization", "photos")


@pytest.mark.parametrize("name", ["codec", "stylization", "vae-mnist"])
def test_a_network_is_built_where_its_family_was_not_imported(name):
    program = f"from yoto_tf import zoo; print(zoo.release_of({name!r}).network().name)"
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.stdout == f"{zoo.load(name).model.name}\n", done.stderr


def test_checking_shapes_draws_no_seeds(release):
    """Whoever has seeded Keras gets the same with and without a network checked."""
    random.seed(0)
    expected = random.random()
    _shapes_of_network.cache_clear()
    random.seed(0)
    check_shapes(release.family, release.config, shapes_of(release.weights))
    assert random.random() == expected


@pytest.mark.parametrize("name", ["weights.npz", "tables.npz"])
def test_arrays_far_larger_than_their_archive(name, tmp_path):
    folder = shutil.copytree(FORMAT_1 / "hyperprior", tmp_path / "bomb")
    with np.load(folder / name) as arrays:
        more = {**arrays, "zeros": np.zeros(2**26, "uint8")}
    np.savez_compressed(folder / name, **more)
    with pytest.raises(RecipeError, match=f"{name} unpacks to"):
        read_release(folder)


@pytest.mark.parametrize("shape", [(2**40,), (-1,), (2**40, 0)])
def test_array_that_announces_more_than_there_is(shape, tmp_path):
    folder = shutil.copytree(FORMAT_1 / "vae", tmp_path / "bomb")
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f2", "fortran_order": False, "shape": shape}
    )
    with zipfile.ZipFile(folder / "weights.npz", "a") as archive:
        archive.writestr("zz.npy", header.getvalue() + b"xx")
    with pytest.raises(RecipeError, match="its header says"):
        read_release(folder)


@pytest.mark.parametrize("fmt", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        {"ranges": {"distortion": [1, 10**400]}},
        {"ranges": {"distortion": [1, "much"]}},
        {"ranges": [1, 2]},
        {"network": json.loads("[" * 80 + "]" * 80)},
        {"network": {"class_name": "Hyperprior", "config": {"filters": [1] * 10**6}}},
        {"former_ids": 3},
        {"family": ["codec"]},
        {"id": 10**30},
    ],
)
def test_forged_configuration_is_refused_at_once(fmt, change, folder):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, **change, "format": fmt}))
    began = time.monotonic()
    with pytest.raises(RecipeError) as caught:
        zoo.load(folder)
    assert time.monotonic() - began < 10
    assert len(str(caught.value)) < 500
