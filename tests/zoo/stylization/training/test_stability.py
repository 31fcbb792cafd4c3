import dataclasses

import numpy as np
import pytest
from keras import ops

from yoto_tf.data import Patches
from yoto_tf.training import engine
from yoto_tf.zoo.stylization.training.stability import (
    EDGE,
    SHIFT,
    StableTerms,
    copies,
    windows,
)
from yoto_tf.zoo.stylization.training.styled_patches import StyledPatches

COEFFICIENTS = {"content": np.ones(2, "float32"), "style_1": np.ones(2, "float32")}


def generators():
    return [np.random.default_rng(seed) for seed in range(2)]


@pytest.fixture
def images(rng):
    return rng.random((2, 40, 40, 3), "float32")


def terms(inputs, outputs):
    return {"content": ops.zeros(2)}


def loss(network, images, **changed):
    """The term, for a function of images in place of the network."""

    def called(inputs, training):
        assert inputs["coefficients"].shape == (2, 2)
        return network(inputs["image"])

    batch = {"image": images, "style": None, **copies(images, generators()), **changed}
    found = StableTerms(terms, called, 3.0)(batch, network(images), COEFFICIENTS)
    assert list(found) == ["content", "stability"]
    return np.array(found["stability"])


def test_a_copy_is_a_window_with_noise(images):
    found = copies(images, generators())
    size = 40 - SHIFT
    assert found["copy"].dtype == np.float32
    assert found["offset"].min() >= 0
    assert found["offset"].max() <= SHIFT
    for image, copy, (top, left) in zip(images, *found.values(), strict=True):
        noise = copy - image[top : top + size, left : left + size]
        assert 0 < noise.std() < 8 / 255 * 1.1
    again = copies(images, generators())
    np.testing.assert_array_equal(found["copy"], again["copy"])


def test_windows_from_each_offset(images):
    offsets = np.array([[0, 8], [5, 3]])
    found = np.array(windows(images, offsets, 32))
    np.testing.assert_array_equal(found[0], images[0, :32, 8:])
    np.testing.assert_array_equal(found[1], images[1, 5:37, 3:35])


def test_what_moves_with_the_picture_costs_its_noise(images):
    found = copies(images, generators())
    noise = np.array(windows(images, found["offset"], 32)) - found["copy"]
    inner = noise[:, EDGE:-EDGE, EDGE:-EDGE]
    expected = 3 * np.square(inner).mean((1, 2, 3))
    np.testing.assert_allclose(loss(lambda x: x, images), expected, rtol=1e-4)
    assert loss(lambda x: 0 * x, images).max() == 0


def test_what_stays_where_it_is_costs_more(images):
    def painted_on_a_grid(x):
        rows = np.arange(x.shape[1])[:, None, None] % 4 / 4
        return 0 * x + rows.astype("float32")

    moved = {"offset": np.array([[4, 0], [3, 0]], "int32")}
    whole_threads, torn = loss(painted_on_a_grid, images, **moved)
    assert whole_threads == 0
    assert torn > 0.1


def test_a_batch_is_what_it_was_with_copies_beside_it(photographs):
    patches = Patches(photographs, size=32, batch_size=4, seed=3)
    plain = StyledPatches(patches, 5, mixtures=0.5)[3]
    copied = StyledPatches(patches, 5, mixtures=0.5, copied=True)[3]
    for name, array in plain.items():
        np.testing.assert_array_equal(copied[name], array)
    assert copied["copy"].shape == (4, 32 - SHIFT, 32 - SHIFT, 3)
    part = StyledPatches(patches, 5, copied=True).part(1, 2)[3]
    np.testing.assert_array_equal(part["copy"], copied["copy"][2:])


def test_the_recipe_trains_with_it(recipe, photographs, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "EPOCH_STEPS", 5)
    recipe = dataclasses.replace(recipe, stability=100.0)
    engine.train(recipe, str(photographs), tmp_path, steps=5)
    assert '"stability"' in (tmp_path / "log.jsonl").read_text()
