import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoto_tf.entropy import CodingTables, decode, encode, range_coding
from yoto_tf.entropy.tfc_ops import load_tfc_ops
from yoto_tf.errors import FormatError, YotoError

needs_ops = pytest.mark.skipif(load_tfc_ops() is None, reason="needs TFC's ops")

symbols = st.one_of(
    st.integers(-12, 12), st.integers(-(10**4), 10**4), st.integers(-(2**29), 2**29)
)


@st.composite
def messages(draw):
    """Integers, the tables they are coded with, and all tables."""
    pmfs = draw(
        st.lists(
            st.lists(st.integers(0, 100), min_size=1, max_size=20).map(
                lambda weights: np.array(weights) / (sum(weights) + 5)
            ),
            min_size=1,
            max_size=4,
        )
    )
    offsets = draw(st.lists(st.integers(-9, 9), min_size=len(pmfs), max_size=len(pmfs)))
    tables = CodingTables.from_pmfs(pmfs, offsets, draw(st.sampled_from([8, 12, 16])))
    pairs = draw(
        st.lists(st.tuples(symbols, st.integers(0, len(pmfs) - 1)), max_size=60)
    )
    values, indexes = np.array(pairs, "int32").reshape(-1, 2).T
    return values, indexes, tables


@pytest.fixture
def portable(monkeypatch):
    """Makes `range_coding` believe that the compiled ops cannot be loaded."""
    monkeypatch.setattr(range_coding, "load_tfc_ops", lambda: None)


@pytest.fixture
def tables():
    return CodingTables.from_pmfs(
        [np.array([0.1, 0.6, 0.2]), np.array([0.5])], [-1, 40], 12
    )


def outcome(function, *arguments):
    try:
        return function(*arguments).tolist()
    except FormatError:
        return "refused"


@settings(deadline=None)
@given(messages())
def test_decodes_what_was_encoded(message):
    values, indexes, tables = message
    decoded = decode(encode(values, indexes, tables), indexes, tables)
    assert decoded.dtype == np.int32
    np.testing.assert_array_equal(decoded, values)


@needs_ops
@settings(deadline=None)
@given(messages())
def test_both_coders_write_and_read_the_same_bytes(message):
    values, indexes, tables = message
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_coding, "load_tfc_ops", lambda: None)
        portable = encode(values, indexes, tables)
        np.testing.assert_array_equal(decode(portable, indexes, tables), values)
    assert encode(values, indexes, tables) == portable


@settings(deadline=None)
@given(messages(), st.data())
def test_damage_is_refused_by_both_coders_alike(message, data):
    values, indexes, tables = message
    if not len(values):
        return
    intact = encode(values, indexes, tables)
    damage = data.draw(st.sampled_from(["cut", "flip", "append", "replace"]))
    if damage == "cut":
        damaged = intact[: data.draw(st.integers(0, len(intact)))]
    elif damage == "flip" and intact:
        damaged = bytearray(intact)
        damaged[data.draw(st.integers(0, len(intact) - 1))] ^= data.draw(
            st.integers(1, 255)
        )
        damaged = bytes(damaged)
    elif damage == "append":
        damaged = intact + data.draw(st.binary(min_size=1, max_size=5))
    else:
        damaged = data.draw(st.binary(max_size=20))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(range_coding, "load_tfc_ops", lambda: None)
        result = outcome(decode, damaged, indexes, tables)
    assert result == outcome(decode, damaged, indexes, tables)
    # What is accepted can only be the encoding of something else.
    if result != "refused":
        assert encode(np.array(result), indexes, tables) == damaged


def test_a_long_message_of_known_size(tables):
    rng = np.random.default_rng(0)
    values = rng.choice([-1, 0, 1, 30], 50000, p=[0.1, 0.6, 0.2, 0.1])
    indexes = np.zeros(50000, int)
    string = encode(values, indexes, tables)
    # 1.57 bits for the choice; a 30 also has a gamma code of 9 bits for 28, and a sign.
    assert len(string) == pytest.approx(50000 * (1.571 + 0.1 * 10) / 8, rel=0.02)
    np.testing.assert_array_equal(decode(string, indexes, tables), values)


@pytest.mark.parametrize("num_symbols", [100, 100_000])
@pytest.mark.parametrize("coder", ["compiled", "portable"])
def test_an_interval_around_one_short_number(num_symbols, coder, request):
    # Symbol 1 has the interval [1/4, 3/4): the intervals of its repetition close in on
    # 1/2, so that a carry stays open for ever and all zeros after the 1 are left out.
    if coder == "portable":
        request.getfixturevalue("portable")
    tables = CodingTables(
        np.uint16([16384, 32768, 8192, 8192]), np.uint16([4]), np.int32([0]), 16
    )
    indexes = np.zeros(num_symbols, int)
    string = encode(np.ones(num_symbols, int), indexes, tables)
    assert string == b"\x80"
    assert np.all(decode(string, indexes, tables) == 1)


@pytest.mark.parametrize("coder", ["compiled", "portable"])
def test_an_endless_escape_is_refused(coder, request):
    # An escape, and after it a gamma code of nothing but zeros.
    if coder == "portable":
        request.getfixturevalue("portable")
    tables = CodingTables(np.uint16([32768, 32768]), np.uint16([2]), np.int32([0]), 16)
    with pytest.raises(FormatError, match="damaged data"):
        decode(b"\x80", np.zeros(3, int), tables)


def test_nothing_is_no_bytes(tables):
    assert encode([], [], tables) == b""
    assert decode(b"", [], tables).shape == (0,)
    with pytest.raises(FormatError, match="expected no bytes, got 2"):
        decode(b"ab", [], tables)


@pytest.mark.parametrize("symbol", [2**30 - 1, -(2**30) - 1, 2**31 - 1, -(2**31)])
def test_refuses_symbols_too_far_from_their_table(tables, symbol):
    with pytest.raises(YotoError, match="a symbol is 2\\*\\*30 or more away"):
        encode([symbol], [0], tables)


@pytest.mark.parametrize("index", [-1, 2])
def test_refuses_indexes_without_a_table(tables, index):
    expected = f"table indexes from {index} to {index}, expected from 0 to 1"
    with pytest.raises(YotoError, match=expected):
        encode([0], [index], tables)
    with pytest.raises(YotoError, match=expected):
        decode(b"", [index], tables)


def test_refuses_another_number_of_symbols_than_indexes(tables):
    with pytest.raises(YotoError, match=r"\(2,\) symbols, expected \(1,\)"):
        encode([0, 1], [0], tables)


@pytest.mark.parametrize("coder", ["compiled", "portable"])
def test_data_that_is_left_over_is_refused(tables, coder, request):
    if coder == "portable":
        request.getfixturevalue("portable")
    string = encode(np.tile([0, 1, -1], 50), np.zeros(150, int), tables)
    with pytest.raises(FormatError, match="did not end where it should"):
        decode(string, np.zeros(140, int), tables)
