import random
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.container import Container, _checksum

CONTAINERS = st.builds(
    lambda model_id, coefficients, long, short, swap, sections: Container(
        model_id, coefficients, *((short, long) if swap else (long, short)), sections
    ),
    st.binary(min_size=8, max_size=8),
    st.lists(st.floats(allow_nan=False, width=32), max_size=20).map(tuple),
    st.integers(1, 65_535),
    st.integers(1, 2**27 // 65_535),
    st.booleans(),
    st.tuples(st.binary(max_size=50), st.binary(max_size=50)),
)


@given(CONTAINERS)
def test_round_trip(container):
    data = container.to_bytes()
    again = Container.from_bytes(data)
    assert again.to_bytes() == data
    assert again.sections == container.sections
    assert (again.height, again.width) == (container.height, container.width)
    assert again.model_id == container.model_id
    assert np.array_equal(
        np.float32(again.coefficients), np.float32(container.coefficients)
    )


def test_coefficients_come_back_in_their_fewest_digits():
    data = Container(b"8 bytes.", (0.0018, 1 / 3), 2, 3, (b"", b"")).to_bytes()
    assert Container.from_bytes(data).coefficients == (0.0018, 0.33333334)


def mutations(files, count, seed):
    """Files that were flipped, cut, overwritten, spliced, extended or made up."""
    draw = random.Random(seed)
    for _ in range(count):
        data = bytearray(draw.choice(files))
        kind = draw.randrange(7)
        at = draw.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del data[at:]
        elif kind == 2:
            length = draw.randrange(1, 20)
            data[at : at + length] = draw.randbytes(length)
        elif kind == 3:
            other = draw.choice(files)
            data = data[:at] + other[draw.randrange(len(other)) :]
        elif kind == 4:
            data += draw.randbytes(draw.randrange(1, 100))
        elif kind == 5:
            start = draw.choice([b"", b"YOTO", b"YOTO\x01"])
            data = start + draw.randbytes(draw.randrange(200))
        else:
            del data[at : at + draw.randrange(1, 20)]
        if bytes(data) not in files:
            yield bytes(data)


def test_mutated_files_are_refused():
    files = [
        Container(
            random.Random(number).randbytes(8),
            (0.02,) * coefficients,
            64 + number,
            100,
            tuple(random.Random(size).randbytes(size) for size in sizes),
        ).to_bytes()
        for number, (coefficients, sizes) in enumerate(
            [(1, (30, 400)), (1, (0, 50)), (1, (0, 0)), (5, (100, 100)), (0, (3, 3))]
        )
    ]
    tried = 0
    for data in mutations(files, 15_000, seed=2):
        with pytest.raises(FormatError):
            Container.from_bytes(data)
        tried += 1
    assert tried > 12_000


def forge(height, width, split, payload, version=1):
    """A file of any content with a right checksum."""
    head = struct.pack("<4sB8sB", b"YOTO", version, b"8 bytes.", 1)
    head += struct.pack("<fIII", 0.02, height, width, split)
    return head + _checksum(head, payload) + payload


def test_forge_is_as_the_format_says():
    assert Container.from_bytes(forge(7, 9, 2, b"abc")) == Container(
        b"8 bytes.", (0.02,), 7, 9, (b"ab", b"c")
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"\x89PNG\r\n", "starts with b'.x89PNG', expected b'YOTO'"),
        (b"YOTO", "truncated .yoto file: it has 4 bytes"),
        (forge(7, 9, 0, b"", version=3), "format version 3, this program reads"),
        (forge(0, 9, 0, b""), "9×0 pixels, expected sides of 1 to 65535"),
        (forge(65_536, 9, 0, b""), "expected sides of 1 to 65535"),
        (forge(11_586, 11_586, 0, b""), "expected at most 134,217,728"),
        (forge(7, 9, 4, b"abc"), "a section ends beyond its end"),
    ],
)
def test_refusal_says_why(data, message):
    with pytest.raises(FormatError, match=message):
        Container.from_bytes(data)


@pytest.mark.parametrize(("height", "width"), [(0, 1), (65_536, 1), (20_000, 20_000)])
def test_sizes_the_format_cannot_hold_are_not_written(height, width):
    with pytest.raises(FormatError, match=f"{width}×{height} pixels"):
        Container(b"8 bytes.", (0.02,), height, width, (b"", b"")).to_bytes()
