import numpy as np
import pytest

from yoto_tf.data import Patches
from yoto_tf.zoo.stylization.training.styled_patches import StyledPatches


@pytest.fixture(scope="module")
def patches(photographs):
    return Patches(photographs, size=32, batch_size=4, seed=3)


def test_batches(patches):
    styled = StyledPatches(patches, 5, mixtures=0.5)
    batch = styled[7]
    assert batch["image"].shape == (4, 32, 32, 3)
    assert batch["image"].dtype == batch["style"].dtype == np.float32
    difference = np.abs(batch["image"] - patches[7]["image"])
    assert 0 < difference.max() <= 0.5 / 255 + 1e-7
    np.testing.assert_allclose(batch["style"].sum(axis=1), 1, rtol=1e-6)
    for name, array in styled[7].items():
        np.testing.assert_array_equal(array, batch[name])


def test_carrying_on_where_a_run_stopped(patches):
    whole = StyledPatches(patches, 5, mixtures=0.5)
    rest = StyledPatches(patches.with_shape(first_batch=6), 5, mixtures=0.5)
    for name in ("image", "style"):
        np.testing.assert_array_equal(rest[1][name], whole[7][name])


def test_mixtures_are_as_frequent_as_asked_and_all_styles_occur(patches):
    styled = StyledPatches(patches, 5, mixtures=0.25)
    weights = np.concatenate([styled[i]["style"] for i in range(300)])
    mixed = (weights > 0).sum(axis=1)
    assert mixed.max() == 2
    # Of the pairs drawn one in five is twice the same style.
    assert (mixed == 2).mean() == pytest.approx(0.2, abs=0.04)
    np.testing.assert_allclose(weights.mean(axis=0), 0.2, atol=0.04)


def test_only_the_styles_to_be_drawn(patches):
    weights = StyledPatches(patches, 5, choices=[4])[0]["style"]
    np.testing.assert_array_equal(weights, np.eye(5)[[4] * 4])
