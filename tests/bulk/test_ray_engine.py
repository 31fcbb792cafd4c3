"""Whole jobs on a Ray cluster of two nodes, both on this machine."""

import numpy as np
import pytest

pytest.importorskip("ray", reason="the extra ray is not installed")

import pyarrow as pa
import ray
from ray.cluster_utils import Cluster

from yoto_tf.bulk import manifest
from yoto_tf.bulk.places import place
from yoto_tf.cli import main
from yoto_tf.data import write_image
from yoto_tf.machine.muted_stderr import muted_stderr

STORE_BYTES = 80 * 2**20


@pytest.fixture(scope="module")
def cluster():
    """Two nodes, of two processors each, and this process connected to them."""
    node = {
        "num_cpus": 2,
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
    }
    with pytest.MonkeyPatch.context() as patch, muted_stderr():
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args=node)
        started.add_node(**node)
        ray.init(started.address, log_to_driver=False, logging_level="ERROR")
    yield started
    ray.shutdown()
    started.shutdown()


@pytest.fixture
def pictures(photograph, tmp_path):
    """A folder of nine pictures, of which one is broken, and a text."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for number in range(8):
        name = f"more/{number}.png" if number % 2 else f"{number}.png"
        top = 40 * number
        write_image(folder / name, photograph[top : top + 64 + number, :96])
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    return folder


def rows_of(folder):
    """The rows of a manifest, as dicts, by the names of the inputs."""
    table = pa.concat_tables(manifest.read(place(folder)))
    return {row["input"].split("/")[-1]: row for row in table.to_pylist()}


def files_of(folder):
    """{relative path: content} of all outputs."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "manifest" not in path.parts
    }


def test_compress(cluster, pictures, release_folder, tmp_path, capfd):
    command = ["--model", str(release_folder), "-q", "0.4", "--verbose"]
    engine = ["--engine", "ray", "--workers", "2"]
    here, there = tmp_path / "here", tmp_path / "there"
    assert main(["compress", str(pictures), str(here), *command]) == 1
    capfd.readouterr()
    assert main(["compress", str(pictures), str(there), *engine, *command]) == 1
    said = capfd.readouterr()

    assert len(files_of(here)) == 8
    assert files_of(there) == files_of(here)
    assert f"{there}: 8 files, see {there}/manifest" in said.out
    assert said.err.splitlines() == [
        f"yoto: cannot read {pictures}/broken.jpg: not a picture in a known format",
        "yoto: 1 of 9 files failed",
    ]
    rows = rows_of(there)
    assert len(rows) == 9
    assert rows["broken.jpg"]["error"].startswith(f"cannot read {pictures}/broken.jpg")
    assert rows["broken.jpg"]["output"] is None
    row = rows["3.png"]
    assert row["output"] == "more/3.yoto"
    assert row["bytes"] == (there / "more/3.yoto").stat().st_size
    assert (row["width"], row["height"]) == (96, 67)
    np.testing.assert_allclose(row["bpp"], 8 * row["bytes"] / 96 / 67)
    assert 20 < row["psnr"] < 60
    assert row["size"] == (pictures / "more/3.png").stat().st_size
    assert row["error"] is None
    assert row["seconds"] > 0
