"""Whatever is not exactly a file that a codec wrote is refused, soon and cheaply."""

import contextlib
import random
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.container import Container, _checksum

HEAD = 30  # Bytes before the checksum, of a file with one coefficient.


@pytest.fixture(scope="module")
def files(untrained_codec, photograph):
    """Real files: several sizes, both ends of the dial."""
    return [
        untrained_codec.compress(photograph[:height, :width], quality=quality)
        for height, width in ((1, 1), (64, 64), (130, 90))
        for quality in (0.0, 1.0)
    ]


@pytest.fixture
def no_network(untrained_codec, monkeypatch):
    """Damage must be found before any network runs."""

    def fail(*_):
        pytest.fail("a damaged file reached the network")

    for name in ("_synthesize", "_tiled"):
        monkeypatch.setattr(untrained_codec, name, fail)
    return untrained_codec


def resealed(data):
    """The file with a right checksum."""
    head, payload = data[:HEAD], data[HEAD + 8 :]
    return head + _checksum(head, payload) + payload


def flip(draw, data, _):
    data = bytearray(data)
    for _ in range(draw.choice([1, 1, 2, 9])):
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    return data


def truncate(draw, data, _):
    return data[: draw.randrange(len(data))]


def overwrite(draw, data, _):
    at, length = draw.randrange(len(data)), draw.randrange(1, 40)
    return data[:at] + draw.randbytes(length) + data[at + length :]


def delete(draw, data, _):
    at = draw.randrange(len(data))
    return data[:at] + data[at + draw.randrange(1, 40) :]


def insert(draw, data, _):
    at = draw.randrange(len(data) + 1)
    return data[:at] + draw.randbytes(draw.randrange(1, 40)) + data[at:]


def swap(draw, data, _):
    a, b, c = sorted(draw.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def splice(draw, data, others):
    other = draw.choice(others)
    return data[: draw.randrange(len(data))] + other[draw.randrange(len(other)) :]


def header_of_another(draw, data, others):
    cut = draw.randrange(HEAD + 9)
    return draw.choice(others)[:cut] + data[cut:]


def extreme_field(draw, data, _):
    """A number of the header at its limits: K, λ, the sides, a section's length."""
    at, length = draw.choice([(13, 1), (14, 4), (18, 4), (22, 4), (26, 4)])
    value = draw.choice([b"\0", b"\xff", b"\x7f", b"\x80"]) * length
    return data[:at] + value + data[at + length :]


def invent(draw, data, _):
    start = data[: draw.choice([0, 4, 5, 13, HEAD])]
    return start + draw.randbytes(draw.randrange(300))


MUTATIONS = [
    flip,
    truncate,
    overwrite,
    delete,
    insert,
    swap,
    splice,
    header_of_another,
    extreme_field,
    invent,
]


@pytest.mark.parametrize("mutate", MUTATIONS)
def test_damaged_files_are_refused_before_the_network(mutate, files, no_network):
    draw = random.Random(mutate.__name__)
    tried, slowest = 0, 0.0
    while tried < 1200:
        data = bytes(mutate(draw, draw.choice(files), files))
        if data in files:
            continue
        began = time.monotonic()
        with pytest.raises(FormatError) as refusal:
            no_network.decompress(data)
        slowest = max(slowest, time.monotonic() - began)
        assert "\n" not in str(refusal.value)
        tried += 1
    assert slowest < 2


@settings(max_examples=500)
@given(st.data())
def test_bytes_from_anywhere_are_refused(files, untrained_codec, data):
    pieces = st.one_of(
        st.binary(max_size=60),
        st.sampled_from(files),
        st.sampled_from(files).map(lambda file: file[: HEAD + 8]),
        st.sampled_from(files).map(lambda file: file[HEAD + 8 :]),
    )
    joined = b"".join(data.draw(st.lists(pieces, max_size=4)))
    if joined not in files:
        with pytest.raises(FormatError):
            untrained_codec.decompress(joined)


@pytest.mark.parametrize(
    "mutate", [flip, truncate, overwrite, delete, insert, swap, splice]
)
def test_damage_under_a_right_checksum_never_gives_another_size(
    mutate, files, untrained_codec
):
    """What a forger can do: most bytes of the right number are somebody's symbols."""
    draw = random.Random(mutate.__name__)
    for _ in range(60):
        source = draw.choice(files)
        body = bytes(mutate(draw, source[HEAD + 8 :], [f[HEAD + 8 :] for f in files]))
        data = resealed(source[: HEAD + 8] + body)
        if data in files:
            continue
        container = Container.from_bytes(source)
        began = time.monotonic()
        with contextlib.suppress(FormatError):
            image = untrained_codec.decompress(data)
            assert image.shape == (container.height, container.width, 3)
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("size", [(65_535, 2048), (11_585, 11_585), (1, 65_535)])
def test_a_forged_size_costs_neither_memory_nor_time(
    size, files, no_network, monkeypatch
):
    """The hyper-latents are read, and refused, before anything large is made."""
    container = Container.from_bytes(files[-1])
    forged = Container(
        container.model_id, container.coefficients, *size, container.sections
    ).to_bytes()
    tracemalloc.start()
    try:
        began = time.monotonic()
        with pytest.raises(FormatError, match="range coder did not end"):
            no_network.decompress(forged)
        seconds = time.monotonic() - began
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seconds < 2
    # One byte a pixel; the picture itself would take three, its latents four more.
    assert peak < 2_000_000 + size[0] * size[1]


def test_a_file_is_a_function_of_picture_and_setting(
    files, untrained_codec, photograph
):
    again = untrained_codec.compress(photograph[:130, :90], quality=1.0)
    assert again == files[-1]
    strided = np.asfortranarray(photograph)[:130, :90]
    assert untrained_codec.compress(strided, quality=1.0) == files[-1]
