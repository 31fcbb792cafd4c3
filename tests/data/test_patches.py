import os
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest
from PIL import Image

from yoto_tf.data import Patches, patches, photographs, random_patches
from yoto_tf.errors import DataError


def coordinates(height, width):
    """A picture whose red is the row and whose green is the column of each pixel."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1)


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


def batches(source, count):
    return [source[index]["image"] for index in range(count)]


class TestPatches:
    @pytest.fixture
    def folder(self, tmp_path):
        save(tmp_path / "a.png", coordinates(60, 80))
        return tmp_path

    def test_patches_stem_from_the_picture(self, folder):
        patches = Patches(folder, size=16, batch_size=3, scales=(1.0,))
        tops, lefts, mirrored = set(), set(), set()
        for batch in batches(patches, 200):
            assert batch.shape == (3, 16, 16, 3)
            assert batch.dtype == np.float32
            for patch in np.rint(batch * 255).astype(int):
                top = patch[0, 0, 0]
                left = patch[0, :, 1].min()
                expected = coordinates(60, 80)[top : top + 16, left : left + 16]
                mirror = patch[0, 0, 1] != left
                np.testing.assert_array_equal(
                    patch[:, ::-1] if mirror else patch, expected
                )
                tops.add(top)
                lefts.add(left)
                mirrored.add(mirror)
        assert tops == set(range(60 - 16 + 1))
        assert lefts == set(range(80 - 16 + 1))
        assert mirrored == {False, True}

    def test_without_flip_nothing_is_mirrored(self, folder):
        patches = Patches(folder, size=16, scales=(1.0,), flip=False)
        for batch in batches(patches, 20):
            assert (np.diff(batch[..., 1], axis=2) > 0).all()

    def test_range_is_zero_to_one(self, tmp_path):
        halves = np.zeros((32, 64, 3), np.uint8)
        halves[:, 32:] = 255
        save(tmp_path / "a.png", halves)
        (batch,) = batches(Patches(tmp_path, size=24, batch_size=64, scales=(1.0,)), 1)
        assert set(np.unique(batch)) == {0.0, 1.0}

    def test_deterministic_given_seed(self, folder):
        save(folder / "b.png", coordinates(90, 50))
        first, again, other = (
            Patches(folder, size=16, seed=seed) for seed in (3, 3, 4)
        )
        np.testing.assert_array_equal(batches(first, 5), batches(again, 5))
        assert not np.array_equal(batches(first, 5), batches(other, 5))

    def test_iterating_and_carrying_on_give_the_same_batches(self, folder):
        patches = Patches(folder, size=16)
        expected = batches(patches, 5)
        iterator = iter(patches)
        np.testing.assert_array_equal(
            [next(iterator)["image"] for _ in range(5)], expected
        )
        carried_on = patches.with_shape(first_batch=3)
        np.testing.assert_array_equal(batches(carried_on, 2), expected[3:])

    @pytest.mark.parametrize("batch_size", [1, 3, 7, 16])
    def test_every_photograph_comes_once_an_epoch(self, tmp_path, batch_size):
        count = 7
        for number in range(count):
            shape = (20 + 9 * number, 90 - 8 * number, 3)
            save(tmp_path / f"{number}.png", np.full(shape, number, np.uint8))
        patches = Patches(tmp_path, size=16, batch_size=batch_size, seed=3)
        drawn = np.concatenate(batches(patches, 6 * count))[:, 0, 0, 0]
        epochs = np.rint(255 * drawn).reshape(-1, count)
        np.testing.assert_array_equal(np.sort(epochs), [range(count)] * len(epochs))
        # Each has an order of its own.
        assert len(np.unique(epochs, axis=0)) > 0.9 * min(len(epochs), 40)

    def test_scales_are_antialiased_and_all_used(self, tmp_path):
        # Black and white rows are grey when reduced to a half, and only then.
        rows = np.zeros((64, 64, 3), np.uint8)
        rows[::2] = 255
        save(tmp_path / "a.png", rows)
        patches = Patches(tmp_path, size=16, batch_size=200, scales=(1.0, 0.5))
        inner = batches(patches, 1)[0][:, 4:12, 4:12]
        grey = (np.abs(inner - 0.5) < 0.02).all(axis=(1, 2, 3))
        assert 60 < grey.sum() < 140
        assert set(np.unique(inner[~grey])) == {0.0, 1.0}

    def test_scale_too_small_for_a_patch_is_left_out(self, folder):
        patches = Patches(folder, size=48, scales=(1.0, 0.5))
        for batch in batches(patches, 20):
            assert (np.rint(255 * np.diff(batch[..., 0], axis=1)) == 1).all()

    def test_small_photographs_are_skipped_with_a_count(self, folder):
        save(folder / "tiny.png", np.full((15, 90, 3), 7, np.uint8))
        with pytest.warns(UserWarning, match="skipped 1 photographs"):
            patches = Patches(folder, size=16)
        assert patches.skipped == 1

    def test_all_too_small(self, folder):
        with pytest.raises(DataError, match="smaller than 61x61"):
            Patches(folder, size=61)

    def test_unreadable_file_is_left_out_with_a_warning(self, folder):
        (folder / "broken.jpg").write_bytes(b"no")
        with pytest.warns(UserWarning, match=r"left out 1 files.*broken\.jpg"):
            Patches(folder, size=16)

    def test_no_readable_file(self, tmp_path):
        (tmp_path / "broken.jpg").write_bytes(b"no")
        with pytest.raises(DataError, match=r"broken\.jpg"):
            Patches(tmp_path)

    def test_with_shape_shares_the_photographs(self, folder):
        patches = Patches(folder, size=16)
        (folder / "a.png").unlink()
        other = patches.with_shape(size=32, batch_size=2)
        assert other[0]["image"].shape == (2, 32, 32, 3)
        assert other.photographs is patches.photographs

    @pytest.mark.parametrize("arguments", [{"size": 0}, {"batch_size": 0}])
    def test_refused_shapes(self, folder, arguments):
        with pytest.raises(ValueError, match="at least 1"):
            Patches(folder, **arguments)

    def test_feeds_fit(self, folder):
        class Mean(keras.Model):
            def __init__(self):
                super().__init__()
                self.scale = self.add_weight(shape=(), initializer="ones")

            def call(self, inputs):
                return keras.ops.mean(inputs["image"]) * self.scale

            def compute_loss(self, x, y, y_pred, sample_weight, training):
                return keras.ops.square(y_pred)

        mean = Mean()
        mean.compile(keras.optimizers.SGD(0.1))
        patches = Patches(folder, size=16)
        mean.fit(patches, steps_per_epoch=3, epochs=2, shuffle=False, verbose=0)
        assert float(mean.scale) < 1


def test_a_folder_that_memory_does_not_hold_is_streamed(tmp_path, monkeypatch):
    for value in range(6):
        save(tmp_path / f"{value}.png", np.full((32, 32, 3), value, np.uint8))
    (tmp_path / "damaged.png").write_bytes(b"no picture")
    with pytest.warns(UserWarning, match="left out 1 files"):
        assert isinstance(random_patches(tmp_path, 16, 2), Patches)
    in_all = 6 * 3 * 32**2 * sum(scale**2 for scale in photographs.SCALES)
    assert photographs.fit_into_memory(tmp_path, memory_bytes=in_all)
    monkeypatch.setattr(patches, "fit_into_memory", lambda spec: False)
    assert not photographs.fit_into_memory(tmp_path, memory_bytes=in_all - 1)
    streamed = random_patches(tmp_path, 16, 2, seed=3)
    later = random_patches(tmp_path, 16, 2, seed=3, first_batch=9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(streamed[9]["image"], later[0]["image"])


def test_folder_feeds_jax_where_there_is_no_tensorflow(tmp_path):
    pytest.importorskip("jax")
    save(tmp_path / "a.png", coordinates(60, 80))
    program = f"""
import sys
sys.modules["tensorflow"] = None
sys.modules["tensorflow_datasets"] = None
import keras
from yoto_tf.data import Patches, load_arrays
from yoto_tf.errors import DataError

class Mean(keras.Model):
    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(), initializer="ones")
    def call(self, inputs):
        return keras.ops.mean(inputs["image"]) * self.scale
    def compute_loss(self, x, y, y_pred, sample_weight, training):
        return keras.ops.square(y_pred)

model = Mean()
model.compile(keras.optimizers.SGD(0.1))
patches = Patches({str(tmp_path)!r}, size=16)
model.fit(patches, steps_per_epoch=3, shuffle=False, verbose=0)
assert float(model.scale) < 1
try:
    load_arrays("tfds:cifar10:test")
except DataError as error:
    print(keras.backend.backend(), error)
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("jax tfds:cifar10:test needs the packages")
