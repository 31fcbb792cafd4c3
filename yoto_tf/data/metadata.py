"""What a picture file says besides its pixels: ICC profile, EXIF and XMP.

Pixels are stored upright here, so that EXIF and XMP say so too when they are kept.
"""

import dataclasses
import re
import warnings

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from yoto_tf.errors import DataError

KINDS = ("none", "icc", "all")
_EXIF = b"Exif\0\0"
_BYTE_ORDERS = {b"II*\0": "little", b"MM\0*": "big"}
# EXIF 2.3, section 4.6: the tag, and the type of its value.
_ORIENTATION, _SHORT = 0x0112, 3
_XMP_ORIENTATION = re.compile(
    rb"""(tiff:Orientation(?:\s*=\s*["']|\s*>)\s*)[0-9]+""",
)
# The colour space that an ICC profile is for, ICC.1:2022, section 7.2.6.
_COLOR_SPACE = slice(16, 20)
_RGB_MODES = frozenset({"RGB", "RGBA", "RGBa", "RGBX", "P", "PA"})
# Formats that Pillow writes ICC profiles, EXIF and XMP in.
_HOLD_ALL = frozenset({"AVIF", "JPEG", "PNG", "TIFF", "WEBP"})
# Tags of a TIFF file that describe a picture rather than how it is stored: TIFF 6.0,
# section 8, and EXIF 2.3, section 4.6.3.
_EXIF_IFD, _GPS_IFD, _XMP = 0x8769, 0x8825, 700
_DESCRIPTIVE = (270, 271, 272, _ORIENTATION, 282, 283, 296, 305, 306, 315, 316, 33432)
# JPEG holds EXIF and XMP in one segment each, which is no longer than this.
_JPEG_SEGMENT = 65_533 - len(b"http://ns.adobe.com/xap/1.0/\0")


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Metadata of a picture whose pixels are upright.

    Attributes:
        icc: the ICC profile, for RGB, of the colour space that the pixels are in; None
            for sRGB.
        exif: from the byte order on, without `Exif` before it; or None.
        xmp: an XMP packet; or None.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None

    @classmethod
    def of(cls, image, kinds):
        """What is to be kept of an open picture.

        Args:
            image: of Pillow's, still in the mode of its file.
            kinds: one of `KINDS`.

        Raises:
            DataError: another kind.
        """
        if kinds not in KINDS:
            raise DataError(f"expected metadata of {', '.join(KINDS)}, got {kinds!r}")
        if kinds == "none":
            return NO_METADATA
        info = image.info
        icc = info.get("icc_profile")
        if not icc or image.mode not in _RGB_MODES or icc[_COLOR_SPACE] != b"RGB ":
            icc = None
        if kinds == "icc":
            return cls(icc)
        exif = _exif_of_tiff(image) if image.format == "TIFF" else info.get("exif")
        return cls(icc, _upright_exif(exif), _upright_xmp(info.get("xmp")))

    def intact(self):
        """The same without EXIF or XMP that Pillow could not write."""
        exif, xmp = self.exif, self.xmp
        if exif is not None and not _is_exif(exif):
            exif = None
        if xmp is not None and not _is_utf_8(xmp):
            xmp = None
        return Metadata(self.icc, exif, xmp)

    def options(self, file_format):
        """The options of `PIL.Image.Image.save` that write it, as far as there are.

        Args:
            file_format: a format's name in Pillow.
        """
        found = {}
        if file_format not in _HOLD_ALL:
            return found
        if self.icc is not None:
            found["icc_profile"] = self.icc
        if file_format == "TIFF":
            tags = _tags_of_tiff(self.exif, self.xmp)
            return {**found, "exif": tags} if len(tags) else found
        most = _JPEG_SEGMENT if file_format == "JPEG" else 2**24
        if self.exif is not None and len(self.exif) <= most:
            found["exif"] = _EXIF + self.exif
        if self.xmp is not None and len(self.xmp) <= most:
            if file_format == "PNG":
                found["pnginfo"] = PngInfo()
                found["pnginfo"].add_itxt("XML:com.adobe.xmp", self.xmp.decode())
            else:
                found["xmp"] = self.xmp
        return found


NO_METADATA = Metadata()


def _exif_of_tiff(image):
    """EXIF of what a TIFF file has among the tags that say how it is stored."""
    return _described(image.getexif)


def _tags_of_tiff(exif, xmp):
    """EXIF and XMP as `PIL.Image.Exif` with the tags that a TIFF file has for them."""
    tags = Image.Exif()
    if exif is not None:
        # Tags such as it has for a thumbnail would say how the picture is stored.
        tags.load(_described(lambda: _loaded(exif)) or b"")
    if xmp is not None:
        tags[_XMP] = xmp
    return tags


def _loaded(exif):
    tags = Image.Exif()
    tags.load(_EXIF + exif)
    return tags


def _described(read):
    """EXIF bytes of the tags that describe a picture; None if damaged or none there.

    Args:
        read: function of nothing to `PIL.Image.Exif`.
    """
    exif = Image.Exif()
    # On damaged tags Pillow raises nearly anything, or warns.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tags = read()
            found = {tag: tags[tag] for tag in _DESCRIPTIVE if tag in tags}
            further = {tag: dict(tags.get_ifd(tag)) for tag in (_EXIF_IFD, _GPS_IFD)}
            exif.update(found)
            for tag, values in further.items():
                if values:
                    exif.get_ifd(tag).update(values)
            return exif.tobytes() if found or any(further.values()) else None
    except Exception:
        return None


def _upright_exif(exif):
    """EXIF whose orientation is 1, or None if it is damaged or there is none.

    What it holds is left where it is, since makers' notes name places in it. A picture
    that was turned loses its thumbnail, which was not.
    """
    if not exif:
        return None
    data = bytearray(exif.removeprefix(_EXIF))
    order = _BYTE_ORDERS.get(bytes(data[:4]))
    if order is None:
        return None

    def number(at, size):
        if len(data) < at + size:
            raise IndexError
        return int.from_bytes(data[at : at + size], order)

    try:
        first = number(4, 4)
        count = number(first, 2)
        after = first + 2 + 12 * count
        for at in range(first + 2, after, 12):
            if (number(at, 2), number(at + 2, 2)) == (_ORIENTATION, _SHORT):
                if number(at + 8, 2) != 1:
                    data[at + 8 : at + 10] = (1).to_bytes(2, order)
                    number(after, 4)
                    data[after : after + 4] = bytes(4)
                break
    except IndexError:
        return None
    return bytes(data)


def _is_exif(data):
    if data[:4] not in _BYTE_ORDERS or len(data) < 8:
        return False
    exif = Image.Exif()
    # On damaged tags Pillow raises nearly anything, or warns.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            exif.load(_EXIF + data)
            exif.tobytes()
    except Exception:
        return False
    return True


def _is_utf_8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _upright_xmp(xmp):
    """XMP whose orientation is 1, or None if it is no UTF-8 or there is none."""
    if not xmp:
        return None
    xmp = xmp.encode() if isinstance(xmp, str) else bytes(xmp)
    if not _is_utf_8(xmp):
        return None
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
