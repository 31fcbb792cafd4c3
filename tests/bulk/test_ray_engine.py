"""Whole jobs on a Ray cluster of two nodes, both on this machine."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
    """Two nodes, of one processor each, and this process connected to them."""
    node = {
        "num_cpus": 1,
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
    }
    with pytest.MonkeyPatch.context() as patch, muted_stderr():
        patch.setenv("RAY_BACKEND_LOG_LEVEL", "fatal")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = Cluster(initialize_head=True, head_node_args=node)
        started.spare = started.add_node(**node)
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


def in_one_process(*words):
    """What `yoto` prints that computes with one thread, as a worker does."""
    code = "import sys; from yoto_tf.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, *map(str, words), "--threads", "1"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_compress(cluster, pictures, release_folder, tmp_path, capfd):
    command = ["--model", str(release_folder), "-q", "0.4", "--verbose"]
    engine = ["--engine", "ray", "--workers", "2"]
    here, there = tmp_path / "here", tmp_path / "there"
    in_one_process("compress", pictures, here, *command)
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


def test_the_other_commands(cluster, pictures, release_folder, tmp_path, capfd):
    model, engine = str(release_folder), ["--engine", "ray", "--workers", "1"]
    (pictures / "broken.jpg").unlink()
    files, here, there = tmp_path / "files", tmp_path / "here", tmp_path / "there"
    in_one_process("compress", pictures, files, "--model", model)
    decompress = ["decompress", str(files)]
    in_one_process(*decompress, here, "--model", model)
    assert main([*decompress, str(there), "--model", model, *engine]) == 0
    assert files_of(there) == files_of(here)
    assert rows_of(there)["3.yoto"]["output"] == "more/3.png"

    stylize = ["stylize", str(pictures), "--style", "udnie"]
    in_one_process(*stylize, here)
    assert main([*stylize, str(there), *engine]) == 0
    assert files_of(there) == files_of(here)

    evaluate = ["evaluate", model, "--data", f"{pictures}/more", "--json"]
    expected = json.loads(in_one_process(*evaluate))
    capfd.readouterr()
    for _ in range(2):
        keep = ["--manifest", str(tmp_path / "measured")]
        assert main([*evaluate, *engine, *keep]) == 0
        assert json.loads(capfd.readouterr().out) == expected
    assert len(rows_of(tmp_path / "measured")) == 4


def test_shards_of_which_one_is_made_again(cluster, pictures, release_folder, tmp_path):
    here, out = tmp_path / "here", tmp_path / "out"
    command = ["--model", str(release_folder), "--quiet"]
    engine = ["--engine", "ray", "--workers", "1", "--shards", "60k"]
    in_one_process("compress", pictures, here, *command)
    spec = f"{pictures}/**/*.png"
    assert main(["compress", spec, f"file://{out}", *engine, *command]) == 0
    shards = sorted(out.glob("*.tar"))
    assert len(shards) > 1
    assert members_of(shards) == files_of(here)
    row = rows_of(out)["3.png"]
    assert row["output"] in {shard.name for shard in shards}
    assert row["member"] == "more/3.yoto"

    gone = members_of(shards[:1])
    before = {shard: shard.stat().st_mtime_ns for shard in shards[1:]}
    shards[0].unlink()
    assert main(["compress", spec, f"file://{out}", *engine, *command]) == 0
    assert {shard: shard.stat().st_mtime_ns for shard in shards[1:]} == before
    assert members_of(set(out.glob("*.tar")) - before.keys()) == gone


def members_of(shards):
    """{name: content} of what lies in tar files, in none of them twice."""
    found = {}
    for shard in shards:
        with tarfile.open(shard) as archive:
            for member in archive:
                assert member.name not in found
                found[member.name] = archive.extractfile(member).read()
    return found


def worker_processes(cluster):
    """{process id: its parent's} of the actors that convert."""
    raylets = {
        process.process.pid
        for node in cluster.list_all_nodes()
        for process in node.all_processes["raylet"]
    }
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
        if b"MapWorker(MapBatches(Worker))" in name and parent in raylets:
            found[int(folder.name)] = parent
    return found


def wait_for(condition):
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_memory_is_bounded(cluster, pictures, release_folder, tmp_path):
    """A picture of 100 megapixels among small ones; no block but its own holds it."""
    large = Image.linear_gradient("L").resize((10_000, 10_000)).convert("RGB")
    large.save(pictures / "large.png", compress_level=1)
    peaks, stop = {}, threading.Event()

    def watch():
        while not stop.wait(0.05):
            for process in worker_processes(cluster):
                try:
                    lines = Path(f"/proc/{process}/status").read_text().splitlines()
                except OSError:
                    continue
                for line in lines:
                    if line.startswith("VmHWM"):
                        peaks[process] = int(line.split()[1]) / 2**20

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        command = ["compress", str(pictures), str(tmp_path / "out"), "--engine", "ray"]
        assert main([*command, "--model", str(release_folder), "--workers", "2"]) == 1
    finally:
        stop.set()
        watcher.join()
    assert rows_of(tmp_path / "out")["large.png"]["error"] is None
    print(f"GiB of each worker: {peaks}")
    assert len(files_of(tmp_path / "out")) == 9
    assert 0 < max(peaks.values()) < 3


def test_a_worker_and_a_node_die(
    cluster, photograph, release_folder, tmp_path, monkeypatch
):
    folder, here, out = (tmp_path / name for name in ("pictures", "here", "out"))
    folder.mkdir()
    for number in range(160):
        write_image(folder / f"{number}.png", photograph[number : number + 64, :96])
    command = ["--model", str(release_folder), "--quiet"]
    in_one_process("compress", folder, here, *command)
    monkeypatch.setattr("yoto_tf.bulk.plan._FILES", 4)
    killed = []

    def kill():
        wait_for(lambda: len(list(out.glob("*.yoto"))) > 16)
        # One on the node that stays.
        [gone] = [p.process.pid for p in cluster.spare.all_processes["raylet"]]
        on_head = [
            w for w, parent in worker_processes(cluster).items() if parent != gone
        ]
        os.kill(on_head[0], signal.SIGKILL)
        killed.append("worker")
        wait_for(lambda: len(list(out.glob("*.yoto"))) > 48)
        cluster.remove_node(cluster.spare, allow_graceful=False)
        killed.append(len(list(out.glob("*.yoto"))))

    killer = threading.Thread(target=kill)
    killer.start()
    engine = ["--engine", "ray", "--workers", "2"]
    assert main(["compress", str(folder), str(out), *engine, *command]) == 0
    killer.join()
    assert killed[0] == "worker"
    assert killed[1] < 160, "the node was to die in the middle of the job"
    assert files_of(out) == files_of(here)
    table = pa.concat_tables(manifest.read(place(out)))
    assert sorted(table["output"].to_pylist()) == sorted(files_of(here))
    assert table["error"].null_count == 160
