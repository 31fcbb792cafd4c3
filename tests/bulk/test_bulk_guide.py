"""The example of `docs/many-pictures.md` runs on Ray."""

import pytest

pytest.importorskip("ray", reason="the extra ray is not installed")

import pyarrow.parquet as pq
import ray
from documented import blocks

from yoto_tf import zoo
from yoto_tf.data import write_image


def test_the_example_of_a_pipeline(photograph, pretrained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(3):
        path = tmp_path / "photos" / f"{number}.png"
        write_image(path, photograph[:64, : 80 + number])
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"no picture")
    [example] = [
        block.code
        for block in blocks("docs/many-pictures.md")
        if "map_batches" in block.code
    ]
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        exec(compile(example, "many-pictures.md", "exec"), {})
    finally:
        ray.shutdown()
    rows = pq.read_table(tmp_path / "compressed").to_pylist()
    assert len(rows) == 4
    codec = zoo.load(pretrained)
    for row in rows:
        if row["path"].endswith("broken.jpg"):
            assert "not a picture in a known format" in row["error"]
        else:
            assert row["error"] is None
            assert codec.decompress(row["bytes"]).shape == (64, row["width"], 3)
