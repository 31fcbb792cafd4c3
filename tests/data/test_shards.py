import io
import tarfile

import fsspec
import numpy as np
import pytest
from PIL import Image

from yoto_tf.data import Shards, StreamedPatches, random_patches, write_image
from yoto_tf.data.numbered_files import NumberedFiles
from yoto_tf.errors import DataError


def picture(number, height=20, width=24):
    """A picture in one colour, which says its number."""
    return np.full((height, width, 3), 8 * number, "uint8")


def add(tar, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def encoded(array):
    content = io.BytesIO()
    Image.fromarray(array).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def folder(tmp_path):
    """Three shards of four pictures, with captions between them."""
    for shard in range(3):
        with tarfile.open(tmp_path / f"train-{shard:03d}.tar", "w") as tar:
            for number in range(4 * shard, 4 * shard + 4):
                add(tar, f"{number:04d}.png", encoded(picture(number)))
                add(tar, f"{number:04d}.txt", b"a caption")
    return tmp_path


def numbers(batch):
    """The number of each patch's picture."""
    return np.rint(batch["image"][:, 0, 0, 0] * 255 / 8).astype(int).tolist()


@pytest.mark.parametrize("spec", ["*.tar", "train-{000..002}.tar"])
def test_pictures_of_shards_are_found_by_number(folder, spec):
    shards = Shards(folder / spec)
    assert len(shards) == 12
    for number in (0, 3, 4, 11):
        np.testing.assert_array_equal(shards.read(number), picture(number))


def test_shards_in_a_bucket(folder):
    bucket = fsspec.filesystem("memory")
    bucket.put(f"{folder}/", "/shards/", recursive=True)
    shards = Shards("memory://shards/train-*.tar")
    assert len(shards) == 12
    np.testing.assert_array_equal(shards.read(9), picture(9))
    [batch] = [random_patches("memory://shards/train-{000..001}.tar", 8, 8)[0]]
    assert sorted(numbers(batch)) == list(range(8))


def test_pictures_in_a_bucket(tmp_path):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", picture(number))
    bucket = fsspec.filesystem("memory")
    bucket.put(f"{tmp_path}/", "/pictures/", recursive=True)
    for spec in ("memory://pictures", "memory://pictures/*.png"):
        files = NumberedFiles(spec)
        assert len(files) == 3
        np.testing.assert_array_equal(files.read(2), picture(2))
    with pytest.raises(DataError, match="no pictures in memory://pictures/none"):
        NumberedFiles("memory://pictures/none*")


def test_no_picture_twice_in_an_epoch_in_any_process(folder):
    data = StreamedPatches(Shards(folder / "*.tar"), 8, batch_size=4, uses=1)
    parts = [data.part(index, 2) for index in range(2)]
    for epoch in range(3):
        found = [
            number
            for part in parts
            for index in range(3 * epoch, 3 * epoch + 3)
            for number in numbers(part[index])
        ]
        assert sorted(found) == list(range(12))


@pytest.mark.parametrize("uses", [1, 3])
def test_a_patch_depends_on_seed_batch_and_place_alone(folder, uses):
    shards = Shards(folder / "*.tar")
    data = StreamedPatches(shards, 8, batch_size=4, seed=5, uses=uses)
    later = StreamedPatches(
        shards, 8, batch_size=4, seed=5, uses=uses, first_batch=7
    ).part(1, 2)
    for index in range(4):
        whole = data[7 + index]["image"]
        np.testing.assert_array_equal(later[index]["image"], whole[2:])


def test_a_place_takes_several_patches_of_a_picture(folder):
    data = StreamedPatches(Shards(folder / "*.tar"), 8, batch_size=4, uses=3)
    found = [numbers(data[index]) for index in range(9)]
    # The places change pictures at different batches.
    changes = [
        {index for index in range(1, 9) if column[index] != column[index - 1]}
        for column in zip(*found, strict=True)
    ]
    assert changes[0] == {3, 6}
    assert changes[1] == {2, 5, 8}


def test_a_small_batch_takes_patches_of_several_pictures_in_turn(folder):
    data = StreamedPatches(Shards(folder / "*.tar"), 8, batch_size=1, uses=4)
    found = [number for index in range(32) for number in numbers(data[index])]
    for first in range(29):
        assert len(set(found[first : first + 4])) == 4
    counts = [found.count(number) for number in set(found)]
    assert max(counts) == 4
    assert counts.count(4) >= 4


def test_what_cannot_be_used_is_left_out(folder):
    with tarfile.open(folder / "train-003.tar", "w") as tar:
        add(tar, "damaged.png", encoded(picture(12))[:40])
        add(tar, "small.png", encoded(picture(13, 4, 4)))
    data = StreamedPatches(Shards(folder / "*.tar"), 8, batch_size=2, uses=1)
    with pytest.warns(UserWarning, match="left out") as caught:
        found = {number for index in range(14) for number in numbers(data[index])}
    assert found <= set(range(12))
    said = " ".join(str(warning.message) for warning in caught)
    assert "is smaller than 8x8" in said
    assert "train-003.tar, the picture at byte 512" in said


def test_nothing_that_can_be_used_is_an_error(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, "small.png", encoded(picture(1, 4, 4)))
    data = StreamedPatches(Shards(tmp_path / "a.tar"), 8, batch_size=1)
    with (
        pytest.warns(UserWarning, match="left out"),
        pytest.raises(DataError, match="pictures one after another cannot be used"),
    ):
        data[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tar", b"not a tar", r"cannot read .*a\.tar: "),
        ("empty.tar", bytes(10240), "no picture in the shards"),
        ("none.tar", None, r"no such shard: .*none\.tar"),
    ],
)
def test_shards_that_are_none(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Shards(tmp_path / name)
