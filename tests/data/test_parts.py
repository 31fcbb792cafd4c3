import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.data import Examples, Patches, write_image
from yoto_tf.data import photographs as in_memory
from yoto_tf.data.parts import slice_of
from yoto_tf.errors import DataError
from yoto_tf.training.endless import EndlessBatches, part_of
from yoto_tf.zoo.stylization.training.styled_patches import StyledPatches
from yoto_tf.zoo.vae.crops import RandomCrops

PICTURES = np.random.default_rng(0).integers(0, 256, (12, 20, 20, 3), "uint8")


def examples():
    return Examples({"image": PICTURES, "number": np.arange(12)}, 4, seed=3)


def crops():
    return RandomCrops(PICTURES, (8, 8), 4, seed=3, first_batch=5)


@pytest.fixture
def photographs(tmp_path):
    for number, picture in enumerate(PICTURES):
        write_image(tmp_path / f"{number}.png", picture)
    return tmp_path


def patches(folder):
    return Patches(folder, size=8, batch_size=4, seed=3, scales=(1.0,))


def styled(folder):
    return StyledPatches(patches(folder), 5, mixtures=0.5)


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize("make", [examples, crops, patches, styled])
def test_the_parts_of_a_batch_are_the_batch(make, count, request):
    needs_folder = make in (patches, styled)
    data = make(request.getfixturevalue("photographs")) if needs_folder else make()
    for index in (0, 1, 7):
        whole = data[index]
        parts = [data.part(part, count)[index] for part in range(count)]
        for name, array in whole.items():
            assert all(len(part[name]) == len(array) // count for part in parts)
            joined = np.concatenate([part[name] for part in parts])
            np.testing.assert_array_equal(joined, array)


def test_no_example_comes_twice_in_an_epoch():
    parts = [examples().part(part, 2) for part in range(2)]
    for epoch in range(3):
        numbers = [part[3 * epoch + i]["number"] for part in parts for i in range(3)]
        assert sorted(np.concatenate(numbers)) == list(range(12))


def test_no_photograph_comes_twice_in_an_epoch(tmp_path):
    for number in range(12):
        picture = np.full((9 + number, 30 - number, 3), number, "uint8")
        write_image(tmp_path / f"{number}.png", picture)
    parts = [patches(tmp_path).part(part, 2) for part in range(2)]
    for epoch in range(3):
        steps = range(3 * epoch, 3 * epoch + 3)
        drawn = [part[step]["image"][:, 0, 0, 0] for step in steps for part in parts]
        assert sorted(np.rint(255 * np.concatenate(drawn))) == list(range(12))


def test_a_tfds_data_set_that_memory_does_not_hold(monkeypatch):
    monkeypatch.setattr(in_memory, "images_from_tfds", lambda spec: iter(PICTURES))
    held = in_memory.Photographs("tfds:many", memory_bytes=3000)
    with pytest.raises(DataError, match="tfds:many does not fit into memory: for"):
        Patches(held, size=8, batch_size=4).part(0, 2)


def test_batches_of_any_iterable_are_cut():
    batches = [({"x": np.arange(6)}, np.arange(6) + 10)]
    second = next(iter(EndlessBatches(batches, part=(1, 2)).for_fit()))
    np.testing.assert_array_equal(second[0]["x"], [3, 4, 5])
    np.testing.assert_array_equal(second[1], [13, 14, 15])


@pytest.mark.parametrize("pair", [False, True])
def test_batches_of_tf_data_are_cut(pair):
    import tensorflow as tf

    x = {"x": np.arange(8)}
    data = tf.data.Dataset.from_tensor_slices((x, np.arange(8)) if pair else x)
    batches = list(part_of(data.batch(4), 1, 2))
    first = batches[0][0] if pair else batches[0]
    np.testing.assert_array_equal(first["x"], [2, 3])
    assert len(batches) == 2


@given(st.integers(1, 50), st.integers(1, 8))
def test_slices_are_all_and_equal(rows, count):
    found = [
        number
        for index in range(count)
        for number in range(rows * count)[slice_of(rows * count, index, count)]
    ]
    assert found == list(range(rows * count))
