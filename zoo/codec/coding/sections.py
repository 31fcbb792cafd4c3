"""The sections of a `.yoto` file of format 2: what each is, and how they are laid out.

    offset  bytes  field
    0       1      type
    1       4      length, uint32, little-endian
    5       …      content

A reader skips a type that it does not know if its highest bit is set, and refuses the
file otherwise. No type occurs twice.
"""

import enum
import struct

from yoto_tf.errors import FormatError

_HEAD = struct.Struct("<BI")
_SKIPPABLE = 0x80
_MAX_COUNT = 32
# Largest ICC profile, EXIF or XMP; ICC profiles of printers have some megabytes.
_MAX_METADATA = 2**24


class Section(enum.IntEnum):
    """Types of sections."""

    HYPER_LATENTS = 1
    LATENTS = 2
    RESIDUAL = 3
    LOSSLESS = 4
    ICC = 0x81
    EXIF = 0x82
    XMP = 0x83
    # By `yoto_tf.zoo.codec.lossless`; what it is the transparency of is seen on white.
    ALPHA = 0x84


def join_sections(sections):
    """Sections one after the other, in the order of their types.

    Args:
        sections: {`Section`: bytes}.

    Returns:
        bytes.

    Raises:
        FormatError: metadata of more than 16 MiB, or others of 4 GiB.
    """
    parts = []
    for kind, content in sorted(sections.items()):
        most = _MAX_METADATA if kind & _SKIPPABLE else 2**32 - 1
        if len(content) > most:
            raise FormatError(
                f"section {Section(kind).name} of {len(content):,} bytes, expected at "
                f"most {most:,}"
            )
        parts += [_HEAD.pack(kind, len(content)), content]
    return b"".join(parts)


def split_sections(data):
    """Reads what `join_sections` wrote, or what a later version did.

    Returns:
        {`Section`: bytes}, without what may be skipped.

    Raises:
        FormatError: a section that ends beyond the data, stands there twice or is
            unknown and not to be skipped; too many or too large ones.
    """
    sections, seen, at = {}, set(), 0
    while at < len(data):
        if len(data) < at + _HEAD.size:
            raise FormatError("damaged .yoto file: a section is cut off")
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if length > len(data) - at:
            raise FormatError("damaged .yoto file: a section ends beyond its end")
        if kind in seen or len(seen) == _MAX_COUNT:
            raise FormatError(
                f"damaged .yoto file: a second section of type {kind}"
                if kind in seen
                else f"damaged .yoto file: more than {_MAX_COUNT} sections"
            )
        if kind & _SKIPPABLE and length > _MAX_METADATA:
            raise FormatError(
                f"damaged .yoto file: section {kind} has {length:,} bytes"
            )
        seen.add(kind)
        if kind in set(Section):
            sections[Section(kind)] = data[at : at + length]
        elif not kind & _SKIPPABLE:
            raise FormatError(
                f".yoto file with a section of type {kind}, which this program does "
                "not know: a later version reads it"
            )
        at += length
    return sections


def join_passes(passes):
    """The latents of several passes as the content of one section.

    Args:
        passes: 1 to 255 byte strings.
    """
    lengths = [struct.pack("<I", len(part)) for part in passes[:-1]]
    return b"".join([bytes([len(passes)]), *lengths, *passes])


def split_passes(data):
    """What `join_passes` joined, a tuple.

    Raises:
        FormatError: other bytes.
    """
    damage = FormatError("damaged .yoto file: a pass of latents ends beyond its end")
    if not data or not data[0] or len(data) < 4 * data[0] - 3:
        raise damage
    at, passes = 4 * data[0] - 3, []
    for number in range(data[0] - 1):
        [length] = struct.unpack_from("<I", data, 1 + 4 * number)
        if length > len(data) - at:
            raise damage
        passes.append(data[at : at + length])
        at += length
    return (*passes, data[at:])
