import json
from pathlib import Path

import fsspec
import numpy as np
import pytest

from yoto_tf.errors import DataError, RecipeError
from yoto_tf.training import checkpoint
from yoto_tf.training.engine import train
from yoto_tf.training.reports import read_log
from yoto_tf.training.workdir import is_url, open_workdir
from yoto_tf.zoo.recipes import load_recipe

FILE = Path(__file__).parents[1] / "least_squares_recipe.py"
RECIPE = load_recipe(FILE)
URL = "memory://bucket/run"


@pytest.fixture(autouse=True)
def bucket():
    """fsspec's bucket in memory, empty."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    return files


def names(files):
    return sorted(name.removeprefix("/bucket/run/") for name in files.find("/bucket"))


def test_a_training_is_kept_in_a_bucket_and_carried_on(bucket, tmp_path):
    first = train(RECIPE, None, URL, steps=3)
    assert "checkpoints/step-00000003.npz" in names(bucket)
    assert json.loads(bucket.cat("/bucket/run/recipe.json"))["units"] == 8
    with pytest.raises(RecipeError, match=r"memory://bucket/run holds a training at"):
        train(RECIPE, None, URL, steps=6)
    second = train(RECIPE, None, URL, steps=6, resume=True)
    assert (first.step, second.step) == (3, 6)
    expected = train(RECIPE, None, tmp_path, steps=6)
    for variable, other in zip(
        second.model.variables, expected.model.variables, strict=True
    ):
        np.testing.assert_allclose(variable, other, 1e-5, 1e-6)
    bucket.get("/bucket/run/log.jsonl", str(tmp_path / "log.jsonl"))
    assert [record["step"] for record in read_log(tmp_path / "log.jsonl")] == [3, 6]


def test_old_checkpoints_are_removed_and_no_part_of_a_file_is_kept(bucket):
    train(RECIPE, None, URL, steps=8, checkpoint_seconds=0.0)
    kept = [name for name in names(bucket) if name.startswith("checkpoints")]
    assert len(kept) == checkpoint.KEPT
    assert not [name for name in names(bucket) if "/." in name or name[0] == "."]


def test_a_failed_copy_is_tried_again(bucket, monkeypatch, tmp_path):
    with open_workdir(URL) as workdir:
        (workdir.path / "log.jsonl").write_text("one")
        put = type(bucket).put_file

        def refuse(self, source, target, **options):
            raise OSError("no route to host")

        monkeypatch.setattr(type(bucket), "put_file", refuse)
        with pytest.warns(UserWarning, match=r"cannot write memory://.*no route to"):
            workdir.save()
        with pytest.raises(DataError, match="no route to host"):
            workdir.save(required=True)
        monkeypatch.setattr(type(bucket), "put_file", put)
        workdir.save(required=True)
    assert bucket.cat("/bucket/run/log.jsonl") == b"one"


def test_what_cannot_be_opened_is_one_line():
    with (
        pytest.raises(DataError, match=r"cannot read nowhere://bucket/run: .+"),
        open_workdir("nowhere://bucket/run"),
    ):
        pass


@pytest.mark.parametrize(
    ("path", "expected"),
    [("gs://bucket/run", True), ("runs/mine", False), ("C:/runs", False)],
)
def test_urls(path, expected):
    assert is_url(path) == expected
