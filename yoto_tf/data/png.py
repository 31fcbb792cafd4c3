"""PNG files without their metadata, and what of it is understood."""

import io
import os
import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Ancillary chunks, whose names begin with a small letter, that change how the picture
# looks.
_CHUNKS = frozenset({b"tRNS", b"acTL", b"fcTL", b"fdAT"})
_XMP = b"XML:com.adobe.xmp\0"
# Of what is unpacked.
_LARGEST = 2**24


def png_without_metadata(path):
    """A PNG without its metadata: (content, metadata).

    Pillow refuses pictures with texts or profiles that are damaged, or large when
    unpacked.

    Returns:
        A file object, and {"icc_profile", "xmp": bytes} as far as they are there and
        intact; None and an empty dict for files of other formats, which are not read.
    """
    if not os.path.isfile(path):
        return None, {}
    content, metadata = io.BytesIO(), {}
    with open(path, "rb") as file:
        if file.read(len(_SIGNATURE)) != _SIGNATURE:
            return None, {}
        content.write(_SIGNATURE)
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name in (b"iCCP", b"eXIf") or (name == b"iTXt" and length <= _LARGEST):
                data, check = file.read(length), file.read(4)
                if zlib.crc32(name + data).to_bytes(4, "big") != check:
                    continue
                if name == b"eXIf":
                    content.write(head + data + check)
                elif name == b"iCCP":
                    _keep(metadata, "icc_profile", _profile(data))
                else:
                    _keep(metadata, "xmp", _xmp(data))
            elif name in _CHUNKS or name[:1].isupper():
                content.write(head + file.read(length + 4))
            else:
                file.seek(length + 4, os.SEEK_CUR)
    content.seek(0)
    return content, metadata


def _keep(metadata, name, value):
    if value:
        metadata[name] = value


def _profile(data):
    """The ICC profile in the chunk iCCP: a name, a zero, the method 0, the profile."""
    return _unpacked(data.partition(b"\0")[2][1:])


def _xmp(data):
    """The XMP in a chunk iTXt, or None if it holds another text.

    After the keyword: whether it is packed, the method 0, a language and a translated
    keyword, each ended by a zero, and the text.
    """
    if not data.startswith(_XMP):
        return None
    packed, rest = data[len(_XMP) : len(_XMP) + 1], data[len(_XMP) + 2 :]
    text = rest.partition(b"\0")[2].partition(b"\0")[2]
    return _unpacked(text) if packed == b"\1" else text


def _unpacked(data):
    try:
        return zlib.decompressobj().decompress(data, _LARGEST)
    except zlib.error:
        return None
