"""The recipes of the zoo on two virtual devices: the same training as on one."""

import numpy as np
import pytest
from trainings import assert_same, finish, last_arrays, pair, start

from yoto_tf import zoo
from yoto_tf.data import write_image
from yoto_tf.training.reports import read_log

pytestmark = pytest.mark.nightly

PLAIN = "plain_recipe.py"
COMMON = [
    *("--steps", 3, "--set", "batch_size=4", "precision=float32"),
    *("warmup_steps=1", "steps_per_execution=3"),
]
SMALL = {
    "codec/small": ["patch_size=64", "filters=8,8,8,12", "hyper_filters=8"],
    "codec/residual": [
        *("patch_size=64", "filters=8,8,12", "blocks=1,1,1", "hyper_filters=8"),
    ],
    "stylization/small": [
        *("patch_size=32", "width=0.125", "blocks=1", "style_size=48"),
        *("style_layers=block1_conv1,block2_conv1", "content_layer=block2_conv2"),
    ],
    "vae/mnist": ["width=1", "channels=4,4", "hidden_units=16", "film_units=8"],
    "vae/shapes": ["width=1", "channels=4,4,4", "hidden_units=16", "film_units=8"],
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of four pictures that are large enough for a codec to start from."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for number in range(4):
        coarse = random.random((5, 6, 3))
        smooth = np.kron(coarse, np.ones((32, 32, 1)))
        picture = 200 * smooth + random.integers(0, 50, smooth.shape)
        write_image(folder / f"{number}.png", picture.astype("uint8"))
    return folder


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    """Weights of the first layers of a network like VGG, as a setting."""
    random, arrays, before = np.random.default_rng(1), {}, 3
    for name in ("block1_conv1", "block2_conv1", "block2_conv2"):
        kernel = random.normal(0, (2 / (9 * before)) ** 0.5, (3, 3, before, 4))
        arrays[f"{name}/kernel"] = kernel.astype("float32")
        arrays[f"{name}/bias"] = random.normal(0, 1, 4).astype("float32")
        before = 4
    path = tmp_path_factory.mktemp("features") / "vgg.npz"
    np.savez(path, **arrays)
    return f"features={path}"


@pytest.fixture
def settings(pictures, features):
    """A function of a recipe's name to the options that make it small."""

    def settings(name):
        more = SMALL[name]
        if name.startswith("stylization"):
            more = [*more, features, f"styles={pictures}"]
        return [*COMMON, *more]

    return settings


def data_of(name, pictures):
    return "shapes:test" if name == "vae/shapes" else pictures


@pytest.mark.parametrize("name", SMALL)
def test_two_devices_train_what_one_does(name, settings, pictures, tmp_path):
    workdirs = {devices: tmp_path / str(devices) for devices in (1, 2)}
    for devices, workdir in workdirs.items():
        process = start(
            workdir,
            data_of(name, pictures),
            *settings(name),
            *("--devices", devices) if devices > 1 else (),
            recipe=PLAIN,
            devices=devices,
            RECIPE=name,
        )
        finish(process)
    assert_same(*(last_arrays(workdir) for workdir in workdirs.values()))
    [record], [expected] = (read_log(each / "log.jsonl") for each in workdirs.values())
    assert record.keys() == expected.keys()
    for term in expected.keys() - {"seconds"}:
        assert record[term] == pytest.approx(expected[term], 1e-5)
    # What came of it can be used.
    zoo.load(workdirs[2] / "release")


@pytest.mark.parametrize("name", ["codec/residual", "stylization/small"])
def test_a_recipe_as_it_is_trains_on_two_devices(name, settings, pictures, tmp_path):
    """With its own optimizer: one keeps averages of the weights."""
    options = [*settings(name), "--devices", 2]
    finish(start(tmp_path, pictures, *options, recipe=name, devices=2))
    zoo.load(tmp_path / "release")


def test_two_processes_train_a_codec(settings, pictures, tmp_path):
    """As of hosts without a common disk; the first one leaves a release."""
    workdirs = tmp_path / "first", tmp_path / "second"
    options = settings("codec/small")
    with pair(workdirs, pictures, *options, recipe="codec/small") as processes:
        for process in processes:
            finish(process)
    zoo.load(workdirs[0] / "release")
    assert not workdirs[1].exists()


def test_a_batch_of_one_cannot_be_shared(pictures, tmp_path):
    process = start(
        tmp_path / "run", pictures, "--devices", 2, recipe="codec/small", devices=2
    )
    said = finish(process, status=2)
    [line] = said.splitlines()
    assert "batch_size must be a multiple of the 2 devices" in line
    assert line.endswith("got 1; --set batch_size=2")
    assert not (tmp_path / "run").exists()
