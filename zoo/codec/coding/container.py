"""The compressed file.

    offset  bytes  field
    0       4      magic, "YOTO"
    4       1      format version, 1
    5       8      model id: hash of the release that decodes the file
    13      1      K, the number of coefficients
    14      4·K    the coefficients, float32
            4      height, uint32, 1 to 65,535
            4      width, likewise
            4      length of the first section of the payload (hyper-latents)
            8      checksum: BLAKE2b of all other bytes of the file
            …      payload

All numbers are little-endian. Whatever is not exactly such a file is refused.
"""

import dataclasses
import hashlib
import struct

import numpy as np

from yoto_tf.errors import CoefficientError, FormatError

MAGIC = b"YOTO"
VERSION = 1
MAX_SIDE = 65_535
# Somewhat above what cameras of 100 megapixels make.
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
        sections: the payload, two byte strings: hyper-latents and latents. A codec
            without a hyperprior leaves the first empty.
    """

    model_id: bytes
    coefficients: tuple[float, ...]
    height: int
    width: int
    sections: tuple[bytes, bytes]

    def vector(self, model_id, coefficients, former_ids=()):
        """The checked coefficients [K], float32, with which a model decodes the file.

        Args:
            model_id: of the model that is to decode it.
            coefficients: of that model; anything that can `validate` a vector.
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
            FormatError: a size that the format cannot hold.
        """
        check_size(self.height, self.width)
        head = struct.pack(
            f"<4sB8sB{len(self.coefficients)}fIII",
            MAGIC,
            VERSION,
            self.model_id,
            len(self.coefficients),
            *self.coefficients,
            self.height,
            self.width,
            len(self.sections[0]),
        )
        payload = b"".join(self.sections)
        return head + _checksum(head, payload) + payload

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
        if data[4] != VERSION:
            raise FormatError(
                f".yoto format version {data[4]}, this program reads version {VERSION}"
            )
        count = data[13]
        layout = struct.Struct(f"<4sB8sB{count}fIII")
        start = layout.size + _CHECKSUM_BYTES
        if len(data) < start:
            raise FormatError(f"truncated .yoto file: it has {len(data)} bytes only")
        head, payload = data[: layout.size], data[start:]
        if data[layout.size : start] != _checksum(head, payload):
            raise FormatError("damaged or truncated .yoto file: its checksum is wrong")
        _, _, model_id, _, *coefficients, height, width, split = layout.unpack(head)
        check_size(height, width)
        if split > len(payload):
            raise FormatError("damaged .yoto file: a section ends beyond its end")
        return cls(
            model_id,
            tuple(map(shortest_decimal, coefficients)),
            height,
            width,
            (payload[:split], payload[split:]),
        )


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
