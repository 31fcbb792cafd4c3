"""The compressed file.

    offset  bytes  field
    0       4      magic, "YOTO"
    4       1      format version, 1 or 2
    5       8      model id: hash of the release that decodes the file; zeros where no
                   model is needed
    13      1      K, the number of coefficients
    14      4·K    the coefficients, float32
            4      height, uint32, 1 to 65,535
            4      width, likewise
            4      version 1 only: length of the first section (hyper-latents)
            8      checksum: BLAKE2b of all other bytes of the file
            …      payload: in version 1 hyper-latents and latents, in version 2 the
                   sections of `yoto_tf.zoo.codec.coding.sections`

All numbers are little-endian. Anything else than such a file is refused. A file is
written in version 1 if that can hold it: every version of this program reads version 1.
"""

import dataclasses
import hashlib
import struct
from collections.abc import Mapping

import numpy as np

from yoto_tf.errors import CoefficientError, FormatError
from yoto_tf.zoo.codec.coding.sections import (
    Section,
    join_passes,
    join_sections,
    split_passes,
    split_sections,
)

MAGIC = b"YOTO"
VERSION = 2
NO_MODEL = bytes(8)
MAX_SIDE = 65_535
# Somewhat more than the pictures of cameras with 100 megapixels.
MAX_PIXELS = 2**27
_CHECKSUM_BYTES = 8


@dataclasses.dataclass(frozen=True)
class Container:
    """What a compressed file holds.

    Attributes:
        model_id: 8 bytes.
        coefficients: raw values, in the order of the model's coefficients.
        height: in pixels, 1 to 65,535.
        width: likewise; height · width ≤ 134,217,728.
        sections: what the model's networks decode, byte strings: hyper-latents and
            latents, these in as many as the model has passes. A codec without a
            hyperprior leaves the first empty. Empty for a file that needs no model.
        residual: what corrects the decoded picture, see
            `yoto_tf.zoo.codec.second_layer`; or None.
        lossless: the picture by `yoto_tf.zoo.codec.lossless`, in place of `sections`;
            or None.
        metadata: {`Section`: bytes} of what may be skipped: ICC profile, EXIF, XMP and
            transparency, see `yoto_tf.zoo.codec.extras`.
    """

    model_id: bytes
    coefficients: tuple[float, ...]
    height: int
    width: int
    sections: tuple[bytes, ...]
    residual: bytes | None = None
    lossless: bytes | None = None
    metadata: Mapping[Section, bytes] = dataclasses.field(default_factory=dict)

    def vector(self, model_id, coefficients, former_ids=()):
        """The checked coefficients [K], float32, with which a model decodes the file.

        Args:
            model_id: of the model that is to decode it.
            coefficients: the `yoto_tf.Coefficients` of that model.
            former_ids: ids that this model had before.

        Raises:
            FormatError: written by another model, or with impossible coefficients.
        """
        if self.model_id not in (model_id, *former_ids):
            raise FormatError(
                f"written by model {self.model_id.hex()}, this is model "
                f"{model_id.hex()}"
            )
        try:
            return coefficients.validate(self.coefficients)
        except CoefficientError as error:
            raise FormatError(f"damaged .yoto file: {error}") from error

    def blocks(self, side):
        """Rows and columns of blocks of that many pixels that cover the picture."""
        return -(-self.height // side), -(-self.width // side)

    def to_bytes(self):
        """The file's content.

        Raises:
            FormatError: a size, or a length of a section, that the format cannot
                hold.
        """
        check_size(self.height, self.width)
        extras = (self.residual, self.lossless)
        version = 1 if len(self.sections) == 2 and extras == (None, None) else 2
        head = struct.pack(
            f"<4sB8sB{len(self.coefficients)}fII",
            MAGIC,
            2 if self.metadata else version,
            self.model_id,
            len(self.coefficients),
            *self.coefficients,
            self.height,
            self.width,
        )
        if head[4] == 1:
            head += struct.pack("<I", len(self.sections[0]))
            payload = b"".join(self.sections)
        else:
            payload = join_sections(self._typed())
        return head + _checksum(head, payload) + payload

    def _typed(self):
        """{`Section`: bytes} of all that the file holds."""
        typed = dict(self.metadata)
        if self.sections:
            typed[Section.HYPER_LATENTS] = self.sections[0]
            typed[Section.LATENTS] = join_passes(self.sections[1:])
        if self.residual is not None:
            typed[Section.RESIDUAL] = self.residual
        if self.lossless is not None:
            typed[Section.LOSSLESS] = self.lossless
        return typed

    @classmethod
    def from_bytes(cls, data):
        """Reads a file's content.

        Raises:
            FormatError: anything but a whole, undamaged file of this version.
        """
        if not data:
            raise FormatError("not a .yoto file: it is empty")
        if data[:4] != MAGIC:
            raise FormatError(
                f"not a .yoto file: it starts with {bytes(data[:4])!r}, "
                f"expected {MAGIC!r}"
            )
        if len(data) < 14:
            raise FormatError(f"truncated .yoto file: it has {len(data)} bytes only")
        version = data[4]
        if not 1 <= version <= VERSION:
            raise FormatError(
                f".yoto format version {version}, this program reads versions 1 and 2"
            )
        count = data[13]
        sizes = "III" if version == 1 else "II"
        layout = struct.Struct(f"<4sB8sB{count}f{sizes}")
        start = layout.size + _CHECKSUM_BYTES
        if len(data) < start:
            raise FormatError(f"truncated .yoto file: it has {len(data)} bytes only")
        head, payload = data[: layout.size], data[start:]
        if data[layout.size : start] != _checksum(head, payload):
            raise FormatError("damaged or truncated .yoto file: its checksum is wrong")
        _, _, model_id, _, *numbers = layout.unpack(head)
        coefficients = tuple(map(shortest_decimal, numbers[:count]))
        height, width, *split = numbers[count:]
        check_size(height, width)
        if version == 2:
            typed = _checked(split_sections(payload))
            return cls(model_id, coefficients, height, width, **typed)
        if split[0] > len(payload):
            raise FormatError("damaged .yoto file: a section ends beyond its end")
        sections = payload[: split[0]], payload[split[0] :]
        return cls(model_id, coefficients, height, width, sections)


def _checked(typed):
    """The fields of a `Container` that sections make."""
    kinds = (Section.HYPER_LATENTS, Section.LATENTS, Section.RESIDUAL, Section.LOSSLESS)
    hyper_latents, latents, residual, lossless = (typed.pop(k, None) for k in kinds)
    coded = (hyper_latents, latents, residual)
    if lossless is not None and coded != (None, None, None):
        raise FormatError("damaged .yoto file: it holds two pictures")
    if lossless is None and (hyper_latents is None or latents is None):
        raise FormatError("damaged .yoto file: it holds no picture")
    sections = () if lossless is not None else (hyper_latents, *split_passes(latents))
    return {
        "sections": sections,
        "residual": residual,
        "lossless": lossless,
        "metadata": typed,
    }


def shortest_decimal(value):
    """The float with the fewest digits that is this number in float32."""
    return float(str(np.float32(value)))


def _checksum(head, payload):
    digest = hashlib.blake2b(head, digest_size=_CHECKSUM_BYTES)
    digest.update(payload)
    return digest.digest()


def check_size(height, width):
    """Raises FormatError for a picture that the format does not hold."""
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE):
        raise FormatError(
            f"picture of {width}×{height} pixels, expected sides of 1 to {MAX_SIDE}"
        )
    if height * width > MAX_PIXELS:
        raise FormatError(
            f"picture of {width}×{height} pixels, expected at most {MAX_PIXELS:,}"
        )
