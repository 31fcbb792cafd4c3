"""HEIC and HEIF, which phones write: read by pillow-heif, the extra `heif`."""

from yoto_tf.errors import DataError

SUFFIXES = frozenset({".heic", ".heif"})
# What pillow-heif calls the format.
FORMAT = "HEIF"
# Brands of ISO/IEC 23008-12. The last two are AVIF's too, which lists its own beside.
_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
_SHARED = frozenset({b"mif1", b"msf1"})
_AVIF = frozenset({b"avif", b"avis"})
_LARGEST_HEAD = 256


def is_heif(path):
    """Whether a file begins as HEIC does, whatever it is called."""
    try:
        with open(path, "rb") as file:
            head = file.read(_LARGEST_HEAD)
    except OSError:
        return False
    if head[4:8] != b"ftyp":
        return False
    box = head[: int.from_bytes(head[:4], "big")]
    others = {box[at : at + 4] for at in range(16, len(box), 4)}
    return box[8:12] in _BRANDS or (box[8:12] in _SHARED and not others & _AVIF)


def enable_heif():
    """Lets Pillow open HEIC.

    Raises:
        DataError: pillow-heif is not installed.
    """
    try:
        from pillow_heif import register_heif_opener
    except ImportError as error:
        raise DataError(
            "HEIC needs the extra heif, which is not installed: "
            "pip install 'yoto_tf[heif]'"
        ) from error
    register_heif_opener()
