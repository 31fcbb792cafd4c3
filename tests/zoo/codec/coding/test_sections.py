"""Files of format 2: what their sections hold, and what is refused."""

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding import sections
from yoto_tf.zoo.codec.coding.container import NO_MODEL, Container, _checksum
from yoto_tf.zoo.codec.coding.sections import (
    Section,
    join_passes,
    join_sections,
    split_passes,
    split_sections,
)

BYTES = st.binary(max_size=40)
METADATA = st.dictionaries(
    st.sampled_from([Section.ICC, Section.EXIF, Section.XMP]), BYTES
)
CODED = st.builds(
    lambda passes, residual, metadata: Container(
        b"8 bytes.", (0.02,), 30, 20, passes, residual=residual, metadata=metadata
    ),
    st.lists(BYTES, min_size=2, max_size=6).map(tuple),
    st.none() | BYTES,
    METADATA,
)
LOSSLESS = st.builds(
    lambda content, metadata: Container(
        NO_MODEL, (), 30, 20, (), lossless=content, metadata=metadata
    ),
    BYTES,
    METADATA,
)


@given(CODED | LOSSLESS)
def test_round_trip(container):
    data = container.to_bytes()
    assert Container.from_bytes(data) == container
    plain = len(container.sections) == 2 and container.residual is None
    assert data[4] == (1 if plain and not container.metadata else 2)


@given(CODED | LOSSLESS, st.data())
def test_any_damage_is_refused(container, data):
    intact = container.to_bytes()
    at = data.draw(st.integers(0, len(intact) - 1))
    flipped = bytearray(intact)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    for damaged in (bytes(flipped), intact[:at], intact + b"\0"):
        with pytest.raises(FormatError):
            Container.from_bytes(damaged)


def forge(payload):
    """A file of format 2 with any payload and a right checksum."""
    head = struct.pack("<4sB8sBfII", b"YOTO", 2, b"8 bytes.", 1, 0.02, 30, 20)
    return head + _checksum(head, payload) + payload


def section(kind, content, length=None):
    return (
        struct.pack("<BI", kind, len(content) if length is None else length) + content
    )


PICTURE = section(1, b"h") + section(2, b"\x01latents")


def test_forge_is_as_the_format_says():
    assert Container.from_bytes(forge(PICTURE)) == Container(
        b"8 bytes.", (0.02,), 30, 20, (b"h", b"latents")
    )


def test_what_a_later_version_adds_is_skipped_if_it_may_be():
    extended = section(0xEE, b"later") + PICTURE + section(Section.ICC, b"profile")
    container = Container.from_bytes(forge(extended))
    assert container.sections == (b"h", b"latents")
    assert container.metadata == {Section.ICC: b"profile"}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (PICTURE + section(0x6E, b""), "type 110, which this program does not know"),
        (PICTURE + section(5, b"alpha"), "type 5, which this program does not know"),
        (PICTURE + section(2, b"\x01"), "a second section of type 2"),
        (PICTURE + section(0xEE, b"") * 2, "a second section of type 238"),
        (PICTURE + section(3, b"abc", 4), "a section ends beyond its end"),
        (PICTURE + section(3, b"abc", 2**32 - 1), "a section ends beyond its end"),
        (PICTURE + b"\x03\0\0", "a section is cut off"),
        (PICTURE + section(4, b""), "it holds two pictures"),
        (section(4, b"") + section(3, b""), "it holds two pictures"),
        (b"", "it holds no picture"),
        (section(1, b"h"), "it holds no picture"),
        (section(2, b"\x01l"), "it holds no picture"),
        (section(1, b"h") + section(2, b""), "a pass of latents ends beyond"),
        (section(1, b"h") + section(2, b"\0abc"), "a pass of latents ends beyond"),
        (section(1, b"") + section(2, b"\xff" * 900), "a pass of latents ends beyond"),
        (
            b"".join(section(0x90 + number, b"") for number in range(33)),
            "more than 32 sections",
        ),
    ],
)
def test_refusal_says_why(payload, message):
    with pytest.raises(FormatError, match=message):
        Container.from_bytes(forge(payload))


def test_metadata_is_bounded(monkeypatch):
    monkeypatch.setattr(sections, "_MAX_METADATA", 10)
    with pytest.raises(FormatError, match="ICC of 11 bytes, expected at most 10"):
        join_sections({Section.ICC: bytes(11)})
    with pytest.raises(FormatError, match="section 129 has 11 bytes"):
        split_sections(section(0x81, bytes(11)))


@given(st.lists(BYTES, min_size=1, max_size=255))
def test_passes_round_trip(passes):
    assert split_passes(join_passes(passes)) == tuple(passes)


def test_forged_files_are_refused_or_whole():
    """Under a right checksum there is a container of some content, or a refusal."""
    draw = random.Random(7)
    opened = 0
    for _ in range(3_000):
        payload = bytearray(PICTURE + section(3, b"residual") + section(0x82, b"exif"))
        for _ in range(draw.randrange(1, 4)):
            payload[draw.randrange(len(payload))] = draw.randrange(256)
        try:
            container = Container.from_bytes(forge(bytes(payload)))
        except FormatError:
            continue
        opened += 1
        assert (container.height, container.width) == (30, 20)
    assert 300 < opened < 2_700
