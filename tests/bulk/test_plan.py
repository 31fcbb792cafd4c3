"""What a SPEC stands for, and which of it is still to be done. Needs no Ray."""

import dataclasses
import os

import pytest

pytest.importorskip("fsspec", reason="the extra ray is not installed")
pytest.importorskip("pyarrow", exc_type=ImportError, reason="pyarrow does not work")

import fsspec
import pyarrow as pa

from yoto_tf.bulk import manifest
from yoto_tf.bulk.listing import sources
from yoto_tf.bulk.places import place
from yoto_tf.bulk.plan import Plan, divided
from yoto_tf.bulk.tasks.codec import compression
from yoto_tf.errors import DataError

SHARD = "part-0123456789abcdef.tar"
PICTURES = frozenset({".png", ".jpg"})


@pytest.fixture
def store():
    """A store without folders, as those of the clouds; empty."""
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()


@pytest.fixture(params=["disk", "store"])
def folder(request, tmp_path, store):
    """Where to put files, as a URL or a path."""
    return str(tmp_path / "in") if request.param == "disk" else "memory://bucket/in"


@pytest.fixture
def task():
    return compression(lossless=True)


def put(folder, *names, content=b"content"):
    for name in names:
        place(folder).write(name, content)


def names_in(spec):
    return [source.name for part in sources(place(spec), PICTURES) for source in part]


def outputs(plan):
    return [name for block in plan.blocks() for name in block["output"].to_pylist()]


def write_manifest(target, blocks, **values):
    """A manifest that says of all work that it was done so."""
    writer = manifest.Writer(place(target))
    for block in blocks:
        rows = [
            {**row, **{"member": None, "error": None}, **values}
            for row in block.drop_columns("path").to_pylist()
        ]
        writer.add(pa.Table.from_pylist(rows, manifest.SCHEMA))
    writer.flush()


def test_a_folder_is_all_that_lies_below_it(folder):
    put(folder, "b.png", "a.JPG", "more/c.jpg", ".hidden.png", "notes.txt")
    assert names_in(folder) == ["a.JPG", "b.png", "more/c.jpg"]
    assert names_in(f"{folder}/") == ["a.JPG", "b.png", "more/c.jpg"]


def test_a_glob_keeps_names_below_what_it_matches(folder):
    put(folder, "x/b.png", "x/y/c.png", "z/d.jpg")
    assert names_in(f"{folder}/x/**/*.png") == ["b.png", "y/c.png"]
    assert names_in(f"{folder}/*/*.png") == ["b.png"]


def test_a_file_is_taken_whatever_it_is_called(folder):
    put(folder, "picture")
    assert names_in(f"{folder}/picture") == ["picture"]


@pytest.mark.parametrize("spec", ["{}", "{}/none", "{}/*.png", "{}/none/*.png"])
def test_nothing_there(folder, spec):
    put(folder, "notes.txt")
    with pytest.raises(DataError, match=r"no such file|no file"):
        names_in(spec.format(folder))


def test_links_to_folders_are_not_entered(tmp_path):
    put(tmp_path, "sub/a.png")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    (tmp_path / "linked.png").symlink_to(tmp_path / "sub" / "a.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "none")
    assert names_in(tmp_path) == ["linked.png", "sub/a.png"]


def test_an_unknown_protocol():
    with pytest.raises(DataError, match=r"cannot open nonsense://a.*nonsense"):
        place("nonsense://a")


def test_blocks_have_a_bounded_number_of_files_and_bytes(folder, task, tmp_path):
    put(folder, *(f"{number:03}.png" for number in range(150)))
    put(folder, "large.png", content=bytes(2**24 + 1))
    plan = Plan(task, place(folder), place(tmp_path / "out"))
    assert [len(block) for block in plan.blocks()] == [64, 64, 22, 1]
    assert plan.num_left == 151
    packed = Plan(task, place(folder), place(tmp_path / "out"), shard_bytes=700)
    assert [len(block) for block in packed.blocks()] == [100, 50, 1]


@pytest.mark.parametrize(
    ("lengths", "count", "expected"),
    [
        ([10], 8, [1] * 10),
        ([64, 22], 8, [10, 10, 10, 10, 10, 10, 4, 10, 10, 2]),
        ([64, 64, 22], 3, [50, 14, 50, 14, 22]),
        ([64, 64, 22], 2, [64, 64, 22]),
        ([1], 8, [1]),
    ],
)
def test_a_small_job_is_divided_among_all_workers(lengths, count, expected):
    rows = iter(range(1000))
    blocks = [pa.table({"row": [next(rows) for _ in range(n)]}) for n in lengths]
    parts = divided(blocks, count)
    assert [len(part) for part in parts] == expected
    assert pa.concat_tables(parts).equals(pa.concat_tables(blocks).combine_chunks())


def test_what_is_done_is_left_out_until_something_about_it_changes(folder, tmp_path):
    out = tmp_path / "out"
    put(folder, "a.png", "b.png", "more/c.png", "more/d.png")
    plan = Plan(compression(lossless=True), place(folder), place(out))
    assert outputs(plan) == ["a.yoto", "b.yoto", "more/c.yoto", "more/d.yoto"]
    write_manifest(out, plan.blocks())
    put(out, "a.yoto", "b.yoto", "more/c.yoto", "more/d.yoto")
    assert outputs(plan) == []
    assert (plan.num_done, plan.num_left) == (4, 0)

    put(folder, "a.png", content=b"other content")
    (out / "more" / "c.yoto").unlink()
    assert outputs(plan) == ["a.yoto", "more/c.yoto"]
    other = compression(lossless=True, metadata="all")
    assert len(outputs(Plan(other, place(folder), place(out)))) == 4


def test_a_change_that_keeps_the_size_is_seen(tmp_path, task):
    source, out = tmp_path / "in", tmp_path / "out"
    put(source, "a.png", content=b"before")
    plan = Plan(task, place(source), place(out))
    write_manifest(out, plan.blocks())
    put(out, "a.yoto")
    assert outputs(plan) == []
    put(source, "a.png", content=b"after!")
    os.utime(source / "a.png", (1, 1))
    assert outputs(plan) == ["a.yoto"]


def test_another_model_does_all_again(tmp_path, task, untrained_codec):
    put(tmp_path / "in", "a.png")
    put(tmp_path / "out", "a.yoto")
    folders = place(tmp_path / "in"), place(tmp_path / "out")
    write_manifest(tmp_path / "out", Plan(task, *folders).blocks())
    other = dataclasses.replace(task, release=untrained_codec.release)
    assert outputs(Plan(task, *folders)) == []
    assert outputs(Plan(other, *folders)) == ["a.yoto"]


def test_what_failed_is_tried_again(folder, tmp_path, task):
    put(folder, "a.png")
    plan = Plan(task, place(folder), place(tmp_path / "out"))
    write_manifest(tmp_path / "out", plan.blocks(), error="it is broken")
    assert outputs(plan) == ["a.yoto"]
    write_manifest(tmp_path / "out", plan.blocks())
    put(tmp_path / "out", "a.yoto")
    assert outputs(plan) == []


def test_what_lies_in_a_shard_is_done_as_long_as_the_shard_is_there(tmp_path, task):
    put(tmp_path / "in", "a.png", "b.png")
    plan = Plan(task, place(tmp_path / "in"), place(tmp_path / "out"), 100)
    shard = {"output": SHARD, "member": "a"}
    write_manifest(tmp_path / "out", plan.blocks(), **shard)
    assert len(outputs(plan)) == 2
    put(tmp_path / "out", SHARD)
    assert outputs(plan) == []


def test_shards_that_no_manifest_names_are_removed(folder, tmp_path, task):
    out, other = tmp_path / "out", "part-00000000000000ff.tar"
    put(folder, "a.png", "b.png")
    put(out, SHARD, other, "part-of-somebody.tar")
    plan = Plan(task, place(folder), place(out), 100)
    blocks = list(plan.blocks())
    assert place(out).names() == {SHARD, other, "part-of-somebody.tar"}
    write_manifest(out, blocks, output=SHARD, member="a")
    assert outputs(plan) == []
    assert place(out).names() == {SHARD, "part-of-somebody.tar"}


def test_two_inputs_of_one_output_are_refused(folder, tmp_path, task):
    put(folder, "a.png", "a.jpg")
    with pytest.raises(
        DataError, match=r"a\.png and .*a\.jpg would both become a\.yoto"
    ):
        list(Plan(task, place(folder), place(tmp_path / "out")).blocks())


@pytest.mark.parametrize("out", ["{}", "{}/out"])
def test_an_output_folder_that_is_read_is_refused(folder, task, out):
    put(folder, "a.png")
    with pytest.raises(DataError, match="expected another place to write"):
        Plan(task, place(folder), place(out.format(folder)))


def test_a_damaged_manifest_is_named(tmp_path, task):
    put(tmp_path / "in", "a.png")
    put(tmp_path / "out", "manifest/1.parquet", content=b"no table")
    plan = Plan(task, place(tmp_path / "in"), place(tmp_path / "out"))
    with pytest.raises(DataError, match=r"cannot read .*out/manifest/1\.parquet"):
        list(plan.blocks())
