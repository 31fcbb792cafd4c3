import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.zoo.vae.crops import RandomCrops, resized


def pictures(number=6, height=5, width=7):
    """Pictures in which every pixel tells picture, row and column."""
    picture, row, column = np.indices((number, height, width))
    return np.stack([picture, row, column], -1).astype("uint8")


def test_crops_are_parts_of_pictures_some_mirrored():
    crops = RandomCrops(pictures(), (3, 4), batch_size=6)
    tops, lefts, mirrors = set(), set(), set()
    for index in range(40):
        batch = crops[index]["image"]
        assert batch.dtype == np.float32
        assert batch.shape == (6, 3, 4, 3)
        values = np.rint(batch * 255).astype(int)
        assert sorted(values[:, 0, 0, 0]) == list(range(6))
        for crop in values:
            mirror = crop[0, 0, 1 + 1] > crop[0, -1, 1 + 1]
            crop = crop[:, ::-1] if mirror else crop
            number, top, left = crop[0, 0]
            expected = pictures()[number, top : top + 3, left : left + 4]
            np.testing.assert_array_equal(crop, expected)
            tops.add(top)
            lefts.add(left)
            mirrors.add(bool(mirror))
    assert (tops, lefts, mirrors) == ({0, 1, 2}, {0, 1, 2, 3}, {False, True})


def test_a_batch_depends_on_the_seed_and_its_number_alone():
    crops = RandomCrops(pictures(), (3, 4), batch_size=4, seed=5)
    later = RandomCrops(pictures(), (3, 4), batch_size=4, seed=5, first_batch=7)
    other = RandomCrops(pictures(), (3, 4), batch_size=4, seed=6)
    np.testing.assert_array_equal(crops[9]["image"], later[2]["image"])
    assert (crops[9]["image"] != crops[8]["image"]).any()
    assert (crops[9]["image"] != other[9]["image"]).any()


def test_too_few_pictures_are_refused():
    with pytest.raises(DataError, match="at least 7 examples, got 6"):
        RandomCrops(pictures(), (3, 4), batch_size=7)


def test_resized_is_bilinear_with_pixel_centres_aligned():
    ramp = np.broadcast_to(np.arange(0, 80, 20, "uint8"), (1, 4, 4))
    larger = resized(np.stack([ramp] * 3, -1), 8)
    assert larger.shape == (1, 8, 8, 3)
    # Output pixel i stands at (i + 1/2) / 2 - 1/2 of the input.
    expected = np.clip((np.arange(8) + 0.5) / 2 - 0.5, 0, 3) * 20
    assert (np.abs(larger[0] - expected[None, :, None]) <= 1).all()
