import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.outliers import read_outliers, write_outliers

OUTLIERS = st.dictionaries(
    st.integers(0, 2**27 * 320 // 256),
    st.integers(-(2**30) + 1, 2**30 - 1).filter(bool),
    max_size=20,
)


@given(OUTLIERS, st.binary(max_size=9))
def test_round_trip(outliers, rest):
    positions = np.array(sorted(outliers), "int64")
    values = np.array([outliers[place] for place in sorted(outliers)], "int64")
    data = write_outliers(positions, values)
    read = read_outliers(data + rest)
    np.testing.assert_array_equal(read[0], positions)
    np.testing.assert_array_equal(read[1], values)
    assert read[2] == rest
    for length in range(len(data)):
        with pytest.raises(FormatError):
            read_outliers(data[:length])


@given(st.binary(max_size=40))
def test_bytes_are_refused_or_exactly_what_would_be_written(data):
    try:
        positions, values, rest = read_outliers(data)
    except FormatError:
        return
    assert write_outliers(positions, values) + rest == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80",
        b"\x80\x00",
        b"\xff" * 9,
        b"\xff\xff\x7f",
        b"\x01\x00" + b"\xff" * 5,
    ],
)
def test_damage(data):
    with pytest.raises(FormatError, match="damaged data"):
        read_outliers(data)


def test_one_of_many_zeros_takes_a_few_bytes():
    assert len(write_outliers(np.array([9000]), np.array([-1]))) == 4
