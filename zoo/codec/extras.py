"""What a `.yoto` file holds besides the picture on white: transparency and metadata.

All of it lies in sections that a reader may skip. The picture is coded as it looks on
white; the colours themselves are computed from that and the transparency, which is
coded without loss.
"""

import dataclasses

import numpy as np

from yoto_tf.data.metadata import NO_METADATA, Metadata
from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.coding.sections import Section
from yoto_tf.zoo.codec.lossless.picture import decode_picture, encode_picture

# What the heads of a version 2 file take more than those of a version 1 file.
_HEADS = 7
_HEAD = 5


@dataclasses.dataclass(frozen=True)
class Extras:
    """Transparency and metadata.

    Attributes:
        alpha: uint8 [H, W], or None for an opaque picture.
        metadata: a `Metadata`.
    """

    alpha: np.ndarray | None = None
    metadata: Metadata = NO_METADATA

    def sections(self):
        """{`Section`: bytes}."""
        found = {
            Section.ICC: self.metadata.icc,
            Section.EXIF: self.metadata.exif,
            Section.XMP: self.metadata.xmp,
        }
        if self.alpha is not None:
            # Three equal planes take no more than one.
            found[Section.ALPHA] = encode_picture(np.dstack([self.alpha] * 3))
        return {kind: data for kind, data in found.items() if data is not None}

    @classmethod
    def read(cls, container):
        """The extras of a `Container`.

        Raises:
            FormatError: the transparency is damaged.
        """
        sections, alpha = container.metadata, None
        if Section.ALPHA in sections:
            size = container.height, container.width
            planes = decode_picture(sections[Section.ALPHA], *size)
            alpha = np.ascontiguousarray(planes[..., 0])
            if (planes != alpha[..., None]).any():
                raise FormatError("damaged .yoto file: transparency with colours")
        kinds = (Section.ICC, Section.EXIF, Section.XMP)
        return cls(alpha, Metadata(*map(sections.get, kinds)).intact())


def num_bytes(sections):
    """By how much sections make a file longer, at most."""
    if not sections:
        return 0
    return _HEADS + sum(_HEAD + len(data) for data in sections.values())


def attach(data, sections):
    """The content of a `.yoto` file, bytes, with further sections.

    Raises:
        FormatError: a section of more than 16 MiB.
    """
    if not sections:
        return data
    container = Container.from_bytes(data)
    return dataclasses.replace(container, metadata=sections).to_bytes()


def with_alpha(image, alpha):
    """The picture that looks so on white.

    Args:
        image: uint8 [H, W, 3], as it looks on white.
        alpha: uint8 [H, W].

    Returns:
        uint8 [H, W, 4]; white where nothing of it shows.
    """
    result = np.dstack([image, alpha])
    # A row at a time, since products take more memory than pixels.
    for row in result:
        share = row[:, 3:].astype(np.int32)
        # image = (color · share + 255 · (255 - share)) / 255, rounded.
        color = row[:, :3].astype(np.int32) * 255 - 255 * (255 - share)
        color = (color + share // 2) // np.maximum(share, 1)
        row[:, :3] = np.where(share, np.clip(color, 0, 255), 255)
    return result
