import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.entropy import CodingTables
from yoto_tf.entropy.coding_tables import integer_ranges
from yoto_tf.errors import FormatError, YotoError


@pytest.fixture
def tables():
    return CodingTables.from_pmfs(
        [np.array([0.25, 0.5, 0.125]), np.array([1.0])], [-1, 7], precision=10
    )


def test_frequencies_are_proportional_and_the_rest_escapes(tables):
    np.testing.assert_array_equal(tables.lengths, [4, 2])
    np.testing.assert_array_equal(tables.frequencies, [256, 512, 128, 128, 1023, 1])
    np.testing.assert_array_equal(tables.offsets, [-1, 7])
    assert len(tables) == 2


def test_both_coders_get_the_same_cumulatives(tables):
    assert tables.cumulatives == [[0, 256, 768, 896, 1024], [0, 1023, 1024]]
    np.testing.assert_array_equal(
        tables.lookup, [-10, 0, 256, 768, 896, 1024, -10, 0, 1023, 1024]
    )
    assert tables.lookup.dtype == np.int32


def test_survives_a_file(tables, tmp_path):
    np.savez_compressed(tmp_path / "tables.npz", **tables.to_arrays())
    loaded = CodingTables.from_arrays(np.load(tmp_path / "tables.npz"))
    for field in dataclasses.fields(tables):
        old, new = getattr(tables, field.name), getattr(loaded, field.name)
        np.testing.assert_array_equal(old, new)
        assert np.asarray(old).dtype == np.asarray(new).dtype


@given(
    st.lists(
        st.lists(st.floats(0, 1), min_size=1, max_size=30), min_size=1, max_size=5
    ),
    st.integers(6, 16),
)
def test_every_symbol_can_be_coded(weights, precision):
    pmfs = [np.array(w) / max(sum(w), 1) for w in weights]
    tables = CodingTables.from_pmfs(pmfs, [0] * len(pmfs), precision)
    for pmf, cumulative in zip(pmfs, tables.cumulatives, strict=True):
        assert len(cumulative) == len(pmf) + 2
        assert cumulative[-1] == 1 << precision
        assert min(np.diff(cumulative)) >= 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("frequencies", np.uint16([256, 512, 128, 127, 1023, 1])),
        ("frequencies", np.uint16([256, 512, 256, 0, 1023, 1])),
        ("frequencies", np.uint16([256, 512, 128, 128, 1023])),
        ("frequencies", np.float32([256, 512, 128, 128, 1023, 1])),
        ("lengths", np.uint16([4, 3])),
        ("lengths", np.uint16([5, 1])),
        ("lengths", np.uint16([])),
        ("lengths", np.uint16([[4, 2]])),
        ("offsets", np.int32([-1])),
        ("offsets", np.int32([-1, 2**30])),
        ("precision", np.uint8(11)),
        ("precision", np.uint8(17)),
        ("precision", np.float32(10)),
        ("precision", np.uint8([10])),
    ],
)
def test_refuses_damaged_arrays(tables, name, value):
    with pytest.raises(FormatError, match="damaged coding tables: expected"):
        CodingTables.from_arrays({**tables.to_arrays(), name: value})


def test_refuses_missing_arrays(tables):
    arrays = tables.to_arrays()
    del arrays["offsets"]
    with pytest.raises(FormatError, match="expected arrays offsets"):
        CodingTables.from_arrays(arrays)


@pytest.mark.parametrize("bad", [np.nan, -0.1, np.inf])
def test_refuses_to_build_from_what_is_no_probability(bad):
    with pytest.raises(YotoError, match="negative or not finite"):
        CodingTables.from_pmfs([np.array([0.5, bad])], [0], 12)


def test_refuses_more_symbols_than_frequencies():
    with pytest.raises(YotoError, match="16 probabilities, expected fewer"):
        CodingTables.from_pmfs([np.full(16, 1 / 16)], [0], 4)


def test_ranges_cover_the_tails_and_wide_ones_are_cut_around_their_middle():
    first, last = integer_ranges(
        np.array([-1.2, -100.5, 4.0]), np.array([2.1, 300.5, 4.0]), precision=5
    )
    np.testing.assert_array_equal(first[[0, 2]], [-2, 4])
    np.testing.assert_array_equal(last[[0, 2]], [3, 4])
    assert last[1] - first[1] + 1 in (15, 16)
    assert abs((first[1] + last[1]) / 2 - 100) <= 1
