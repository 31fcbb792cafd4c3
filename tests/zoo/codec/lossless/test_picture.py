"""The very same pixels, or pixels within a tolerance; anything else is refused."""

import io
import lzma
import random
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from awkward_pictures import PICTURES
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.lossless import picture, repeats
from yoto_tf.zoo.codec.lossless.picture import decode_picture, encode_picture


def round_trip(image, tolerance=0):
    data = encode_picture(image, tolerance)
    decoded = decode_picture(data, *image.shape[:2])
    assert decoded.dtype == np.uint8
    assert decoded.shape == image.shape
    assert np.abs(decoded.astype(int) - image).max() <= tolerance
    return data


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 2), (2, 1), (1, 90), (90, 1), (3, 5), (33, 31), (130, 77)]
)
def test_every_size(photograph, size):
    image = photograph[200 : 200 + size[0], 150 : 150 + size[1]]
    round_trip(image)
    round_trip(image, 3)
    noise = np.random.default_rng(1).integers(0, 256, (*size, 3), "uint8")
    round_trip(noise)
    round_trip(noise, 127)


@settings(max_examples=60, deadline=None)
@given(
    arrays.arrays(
        "uint8",
        st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)),
        elements=st.sampled_from([0, 1, 127, 128, 254, 255]),
    ),
    st.integers(0, 127),
)
def test_every_small_picture(image, tolerance):
    round_trip(image)
    round_trip(image, tolerance)


@pytest.mark.parametrize("name", PICTURES)
def test_awkward_pictures(name):
    image = PICTURES[name]()
    exact = round_trip(image)
    assert len(exact) <= image.size + 100
    assert len(round_trip(image, 5)) <= len(exact)


def test_tiles(photograph, monkeypatch):
    image = photograph[:230, :170]
    whole = encode_picture(image)
    monkeypatch.setattr(picture, "_SIDE", 100)
    assert len(round_trip(image)) < 1.2 * len(whole)
    half = image.copy()
    half[:, 90:] = 255
    # The white tiles are of one colour; the others are predicted.
    assert len(round_trip(half)) < 0.7 * len(whole)


def test_fewer_bytes_than_png(photograph):
    file = io.BytesIO()
    Image.fromarray(photograph).save(file, "PNG", optimize=True)
    assert len(encode_picture(photograph)) < 0.85 * len(file.getvalue())


def test_files_of_today_decode_for_ever():
    """The bytes are a format: what changes their meaning needs a new section type."""
    rows, columns = np.mgrid[:40, :50]
    planes = [rows * 5 + columns, (rows - 20) ** 2 // 4 + columns, rows * columns // 8]
    noise = np.random.default_rng(5).integers(0, 9, (40, 50, 3))
    image = ((np.stack(planes, -1) + noise) % 256).astype("uint8")
    stored = Path(__file__).with_name("stored.bin").read_bytes()
    np.testing.assert_array_equal(decode_picture(stored, 40, 50), image)
    near = Path(__file__).with_name("stored_within_3.bin").read_bytes()
    decoded = decode_picture(near, 40, 50).astype(int)
    assert np.abs(decoded - image).max() == 3


@pytest.fixture(scope="module")
def files(photograph):
    """(bytes, height, width) of predicted and of repeated pictures."""
    images = [photograph[:70, :90], photograph[:9, :9], PICTURES["text"]()[:64]]
    images += [PICTURES["dither"]()[:40], PICTURES["flat"](), PICTURES["blocks"]()]
    return [
        (encode_picture(image, tolerance), *image.shape[:2])
        for image in images
        for tolerance in (0, 4)
    ]


def mutated(draw, data):
    data = bytearray(data)
    at = draw.randrange(len(data))
    kind = draw.randrange(5)
    if kind == 0:
        data[at] ^= 1 << draw.randrange(8)
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at : at + 4] = draw.choice([b"\xff" * 4, b"\0" * 4, draw.randbytes(4)])
    elif kind == 3:
        data += draw.randbytes(draw.randrange(1, 20))
    else:
        del data[at : at + draw.randrange(1, 20)]
    return bytes(data)


def test_forged_data_is_refused_or_has_the_declared_size(files):
    draw = random.Random(4)
    refused = slowest = 0
    for _ in range(600):
        data, height, width = draw.choice(files)
        began = time.process_time()
        try:
            decoded = decode_picture(mutated(draw, data), height, width)
            assert decoded.shape == (height, width, 3)
        except FormatError:
            refused += 1
        slowest = max(slowest, time.process_time() - began)
    assert refused > 400
    assert slowest < 2


@pytest.mark.parametrize("size", [(65_535, 2_048), (11_585, 11_585), (1, 65_535)])
def test_a_forged_size_costs_neither_memory_nor_time(files, size):
    tracemalloc.start()
    try:
        for data, *_ in files:
            began = time.process_time()
            with pytest.raises(FormatError):
                decode_picture(data, *size)
            assert time.process_time() - began < 2
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60_000_000


def test_a_bomb_is_not_unpacked():
    """64 MiB in some kilobytes, declared as a picture of one pixel."""
    compressor = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[repeats._FILTER])
    bomb = b"".join(compressor.compress(bytes(2**24)) for _ in range(4))
    bomb += compressor.flush()
    data = b"\xff\x18" + bomb
    file = b"\0\x01" + len(data).to_bytes(4, "little") + data
    tracemalloc.start()
    try:
        with pytest.raises(FormatError, match="have another length"):
            decode_picture(file, 1, 1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The dictionary of 4 MiB, and nothing of the 64 that are packed.
    assert peak < 10_000_000
