import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.cli.sizes import size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30000", 30_000),
        ("30k", 30_000),
        ("30K", 30_000),
        ("30kB", 30_000),
        ("30 kB", 30_000),
        ("30KiB", 30_720),
        ("30ki", 30_720),
        ("1.5M", 1_500_000),
        (".5MiB", 524_288),
        ("2G", 2_000_000_000),
        ("12b", 12),
    ],
)
def test_sizes(text, expected):
    assert size(text) == expected


@pytest.mark.parametrize("text", ["", "k", "-1", "1e3", "nan", "30 kilo", "1,000", "٣"])
def test_what_is_no_size(text):
    with pytest.raises(argparse.ArgumentTypeError, match=r"30k \(30,000\)"):
        size(text)


def test_more_digits_than_any_file_has():
    with pytest.raises(argparse.ArgumentTypeError, match="fewer digits, got 402"):
        size(400 * "9" + ".0k")


@given(st.integers(0, 10**15))
def test_whole_numbers_are_exact(number):
    assert size(str(number)) == number
    assert size(f"{number}KiB") == 1024 * number
