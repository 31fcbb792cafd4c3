"""Several devices of one process, on JAX: the same training as on one."""

import pytest
from trainings import STEPS, assert_same, finish, last_arrays, run, start

from yoto_tf.training.reports import read_log

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("devices", "settings"),
    [(2, []), (4, []), (4, ["--set", "model_devices=2"])],
    ids=["2", "4", "4 with divided kernels"],
)
def test_devices_train_what_one_does(alone, photographs, tmp_path, devices, settings):
    options = ["--steps", STEPS, "--devices", devices, *settings]
    arrays = run(tmp_path, photographs, *options, devices=4)
    assert_same(arrays, last_arrays(alone))
    [record], [expected] = (read_log(each / "log.jsonl") for each in (tmp_path, alone))
    for name in ("loss", "error", "smoothness"):
        assert record[name] == pytest.approx(expected[name], 1e-5)
    released = tmp_path / "release" / "network.weights.h5"
    assert released.exists()


def test_more_devices_than_there_are(photographs, tmp_path):
    process = start(tmp_path / "run", photographs, "--devices", 3, devices=2)
    said = finish(process, status=2)
    assert "expected 1 to 2 devices, which is what this process has, got 3" in said
    assert not (tmp_path / "run").exists()


def test_a_layout_that_catches_other_kernels(photographs, tmp_path):
    options = [
        "--devices",
        2,
        "--set",
        "model_devices=2",
        "layout_rule=.*hidden.*kernel",
    ]
    said = finish(start(tmp_path / "run", photographs, *options, devices=2), status=2)
    assert "the layout '.*hidden.*kernel'" in said
    assert "does not fit hidden_film/affine/kernel, whose shape is (10, 16)" in said
