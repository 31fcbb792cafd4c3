"""What a worker makes of a block, in this process; it needs no Ray."""

import tarfile

import numpy as np
import pytest

pytest.importorskip("fsspec", reason="the extra ray is not installed")
pytest.importorskip("pyarrow", exc_type=ImportError, reason="pyarrow does not work")

from yoto_tf import zoo
from yoto_tf.bulk import (
    BatchConverter,
    compression,
    decompression,
    evaluation,
    stylization,
)
from yoto_tf.bulk.attempts import Attempts
from yoto_tf.bulk.places import place
from yoto_tf.bulk.plan import Plan
from yoto_tf.bulk.worker import Worker, read
from yoto_tf.data import read_image, write_image
from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.machine import threads
from yoto_tf.zoo.codec.files import compress_files, decompress_files
from yoto_tf.zoo.stylization.files import stylize_files
from yoto_tf.zoo.stylization.styles import StyleError


@pytest.fixture(autouse=True)
def as_many_threads(monkeypatch):
    """A worker bounds those of its process; the tests' own is left as it is."""
    monkeypatch.setattr(threads, "limit_threads", lambda count: None)
    monkeypatch.setattr("yoto_tf.bulk.converter.limit_threads", lambda count: None)


@pytest.fixture
def pictures(photograph, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        write_image(folder / f"{number}.png", photograph[:64, : 80 + number])
    return folder


def run(task, source, target, packed=False, attempts=None):
    """The rows of all blocks, as dicts."""
    source, target = place(source), place(target)
    worker = Worker(task, 1, target, packed, attempts or Attempts())
    blocks = Plan(task, source, target, 10**6 if packed else None).blocks()
    return [row for block in blocks for row in worker(read(block, source)).to_pylist()]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_compression_and_back(pictures, release_folder, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    report = compress_files(
        pictures, here, release_folder, target_bpp=1.0, measure=True
    )
    task = compression(release_folder, target_bpp=1.0, measure=True)
    rows = run(task, pictures, there)
    assert contents(there) == contents(here)
    assert [row["psnr"] for row in rows] == [file["psnr"] for file in report.files]
    assert {row["model_id"] for row in rows} == {report.files[0]["model_id"]}

    decompress_files(here, tmp_path / "back", release_folder)
    rows = run(decompression(release_folder), there, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "back")
    assert [row["output"] for row in rows] == ["0.png", "1.png", "2.png"]
    assert rows[1]["bytes"] == (tmp_path / "again" / "1.png").stat().st_size
    assert (rows[1]["width"], rows[1]["height"]) == (81, 64)


def test_lossless_files_have_an_infinite_psnr(pictures, tmp_path):
    task = compression(lossless=True, measure=True)
    rows = run(task, pictures, tmp_path / "out")
    assert [row["psnr"] for row in rows] == [np.inf] * 3
    decompress_files(tmp_path / "out", tmp_path / "back")
    assert len(contents(tmp_path / "back")) == 3


def test_stylization(pictures, tmp_path):
    how = {"style": "udnie", "preserve_color": True, "content": 0.1, "strength": 0.7}
    how["stroke"] = 2
    (pictures / "1.png").rename(pictures / "1.webp")
    stylize_files(pictures, tmp_path / "here", **how)
    run(stylization(**how), pictures, tmp_path / "there")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_stylization_like_a_painting(pictures, tmp_path):
    how = {"style": str(pictures / "2.png"), "strength": 1.5}
    stylize_files(pictures, tmp_path / "here", **how)
    run(stylization(**how), pictures, tmp_path / "there")
    assert contents(tmp_path / "there") == contents(tmp_path / "here")


def test_evaluation(pictures, release_folder, tmp_path):
    rows = run(evaluation(release_folder, 3), pictures, tmp_path / "out")
    from yoto_tf.zoo.codec.evaluation import evaluate

    expected = evaluate(zoo.load(release_folder), pictures, settings=3).images
    assert [row["points"] for row in rows] == [image["points"] for image in expected]
    assert [row["output"] for row in rows] == [None] * 3
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("packed", [False, True])
def test_what_fails_is_a_row(pictures, tmp_path, packed, monkeypatch):
    (pictures / "0.png").write_bytes(b"no picture")
    work = tmp_path / "work"
    task = compression(lossless=True)
    plan = Plan(task, place(pictures), place(work))
    [block] = plan.blocks()
    (pictures / "1.png").unlink()
    worker = Worker(task, 1, place(work), packed, Attempts())
    rows = worker(read(block, place(pictures))).to_pylist()
    assert [row["error"] for row in rows] == [
        f"cannot read {pictures}/0.png: not a picture in a known format",
        f"cannot read {pictures}/1.png: No such file or directory",
        None,
    ]
    assert [row["output"] is None for row in rows] == [True, True, False]

    def raise_anything(*_):
        raise ZeroDivisionError("of a library")

    monkeypatch.setattr(worker._converter, "_convert", raise_anything)
    rows = worker(read(block, place(pictures))).to_pylist()
    assert rows[2]["error"] == f"{pictures}/2.png: of a library"


@pytest.mark.parametrize("packed", [False, True])
def test_what_cannot_be_written_is_a_row(pictures, tmp_path, packed):
    (tmp_path / "out").write_text("a file")
    rows = []
    task, source = compression(lossless=True), place(pictures)
    [block] = Plan(task, source, place(tmp_path / "new")).blocks()
    worker = Worker(task, 1, place(tmp_path / "out" / "below"), packed, Attempts())
    rows = worker(read(block, source)).to_pylist()
    for row in rows:
        assert row["error"].startswith(f"cannot write {tmp_path}/out/below")
        assert row["output"] is None


def test_no_file_of_another_kind_is_replaced(pictures, tmp_path):
    (tmp_path / "out").mkdir()
    write_image(tmp_path / "out" / "0.png", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "out" / "0.png").rename(tmp_path / "out" / "0.yoto")
    rows = run(compression(lossless=True), pictures, tmp_path / "out")
    assert "it holds what .png files do" in rows[0]["error"]
    assert rows[1]["error"] is None


def test_a_shard_is_the_same_again(pictures, tmp_path):
    task = compression(lossless=True)
    for name in ("a", "b"):
        rows = run(task, pictures, tmp_path / name, packed=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    [shard] = (tmp_path / "a").iterdir()
    with tarfile.open(shard) as archive:
        assert archive.getnames() == ["0.yoto", "1.yoto", "2.yoto"]
    assert {row["output"] for row in rows} == {shard.name}


def test_a_picture_that_ends_workers_is_left_out(pictures, tmp_path):
    attempts = Attempts()
    task, out = compression(lossless=True), tmp_path / "out"
    [block] = Plan(task, place(pictures), place(out)).blocks()
    block = read(block, place(pictures))

    class Killed(BaseException):
        pass

    def die_of_the_second(worker):
        convert = worker._convert

        def call(path, output):
            if str(path).endswith("1.png"):
                raise Killed
            return convert(path, output)

        worker._convert = call

    deaths = 0
    while True:
        worker = Worker(task, 1, place(out), False, attempts)
        die_of_the_second(worker._converter)
        try:
            rows = worker(block).to_pylist()
            break
        except Killed:
            deaths += 1
    assert deaths == 3
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert "1.png: left out, for workers died with it" in rows[1]["error"]


def test_batches_of_ones_own_pipeline(pictures, tmp_path):
    convert = BatchConverter(compression(lossless=True), path="name")
    batch = {
        "name": np.array(["a.png", "b.png"], object),
        "bytes": [(pictures / "0.png").read_bytes(), b"no picture"],
    }
    done = convert(batch)
    (tmp_path / "a.yoto").write_bytes(done["bytes"][0])
    decompress_files(tmp_path / "a.yoto", tmp_path / "a.png")
    back = read_image(tmp_path / "a.png")
    assert (back == read_image(pictures / "0.png")).all()
    assert done["num_bytes"][0] == len(done["bytes"][0])
    assert done["bytes"][1] is None
    assert done["error"].tolist() == [
        None,
        "cannot read b.png: not a picture in a known format",
    ]
    assert list(done["name"]) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    "settings",
    [
        {"quality": 2.0},
        {"distortion": 1e9},
        {"nonsense": 1.0},
        {"quality": 0.5, "distortion": 0.01},
        {"quality": 0.5, "target_bpp": 1.0},
        {"effort": 10},
        {"lossless": True, "quality": 0.5},
    ],
)
def test_settings_are_checked_before_anything_runs(settings, release_folder):
    with pytest.raises(CoefficientError):
        compression(release_folder, **settings)


def test_models_and_styles_are_checked_likewise(release_folder):
    with pytest.raises(RecipeError):
        compression("nonsense")
    with pytest.raises(RecipeError, match="expected a stylizer"):
        stylization("udnie", model=release_folder)
    with pytest.raises(StyleError):
        stylization("nonsense")
    with pytest.raises(CoefficientError):
        stylization("udnie", content=1e9)
    with pytest.raises(CoefficientError, match="a stroke of 1 or more"):
        stylization("udnie", stroke=0.5)


def test_the_stroke_is_a_part_of_what_is_done():
    first, second, again = (
        stylization("udnie", stroke=stroke).settings for stroke in ("auto", 2, "2")
    )
    assert first != second == again
