import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.zoo.vae.pictures import load_pictures
from yoto_tf.zoo.vae.shapes import FACTORS, factors, rendered


def test_splits_share_no_picture_and_hold_all():
    train, test = factors("shapes:train"), factors("shapes:test")
    together = np.concatenate([train, test])
    counts = list(FACTORS.values())
    assert len(np.unique(together, axis=0)) == len(together) == np.prod(counts)
    assert len(test) == len(together) // 10
    # The splits of files written so far stay as they are.
    np.testing.assert_array_equal(test[0], [0, 1, 10, 2, 6])
    for column, count in zip(test.T, counts, strict=True):
        assert set(column) == set(range(count))


def test_factors_are_what_is_seen():
    places = np.linspace(10, 22, 12)
    for shape, size, x, y, colour in factors("shapes:test")[:200]:
        (picture,) = rendered([[shape, size, x, y, colour]]).astype(float)
        painted = picture.max(-1) > 26
        rows, columns = np.nonzero(painted)
        # The middle between the ends is the place.
        assert abs((columns.min() + columns.max() + 1) / 2 - places[x]) <= 1
        assert abs((rows.min() + rows.max() + 1) / 2 - places[y]) <= 1
        # Nothing is cut off: not half of a pixel is covered at the border.
        border = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
        assert np.max(border) < 140
        brightest = picture[picture.sum(-1) > picture.sum(-1).max() - 1][0]
        assert brightest.argmax() == (0, 0, 1, 1, 1, 1, 2, 2)[colour]
    areas = [
        (rendered([[shape, size, 5, 5, 0]])[0, ..., 0] - 26.0).sum() / 229
        for size in range(4)
        for shape in range(3)
    ]
    areas = np.reshape(areas, (4, 3))
    assert (np.diff(areas, axis=0) > 0).all()
    assert (areas.max(axis=1) < 1.03 * areas.min(axis=1)).all()


def test_edges_are_smooth_and_figures_differ():
    disc, square, triangle = rendered([[shape, 3, 6, 6, 0] for shape in range(3)])
    for picture in (disc, square, triangle):
        assert len(np.unique(picture[..., 0])) > 3 or picture is square
    corner = disc[..., 0] < square[..., 0]
    assert corner.sum() >= 4
    # The triangle is wider below than above.
    width = (triangle[..., 0] > 127).sum(axis=1)
    width = width[width > 0]
    assert (np.diff(width) >= 0).all()


def test_they_are_pictures_like_others():
    some = load_pictures("shapes:test", (32, 32, 3), 5)
    np.testing.assert_array_equal(some, rendered(factors("shapes:test")[:5]))
    assert load_pictures("shapes:train", (16, 16, 1), 3).shape == (3, 16, 16, 1)
    with pytest.raises(DataError, match="expected shapes:train or shapes:test, got"):
        load_pictures("shapes:validation", (32, 32, 3))
