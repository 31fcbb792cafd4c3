"""A user's own pictures, as a notebook asks for them."""

import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from yoto_tf.data.images import READ_SUFFIXES, image_files
from yoto_tf.errors import DataError

_DRIVE = "/content/drive"
# In bytes, of all the pictures of a zip file together.
_LARGEST_CONTENT = 2**33


def own_pictures(place=""):
    """Finds the pictures that a user wants a notebook to work on.

    Args:
        place: a picture, a folder, a glob or a zip file of pictures. A Google Drive is
            mounted where it lies there, in /content/drive/MyDrive. Empty: on Colab the
            user is asked to upload pictures or zip files.

    Returns:
        A list of paths; empty where no place was given and nothing was uploaded. What
        was in a zip file lies in a temporary folder.

    Raises:
        DataError: nothing lies there, no picture does, or a zip file is damaged or
            holds more than 8 GiB.
    """
    try:
        from google.colab import drive, files
    except ImportError:
        drive = files = None
    if not place:
        uploaded = files.upload() if files else {}
        return [file for name in uploaded for file in _pictures(name)]
    if drive and f"{place}/".startswith(f"{_DRIVE}/"):
        drive.mount(_DRIVE)
    return _pictures(place)


def _pictures(place):
    if not zipfile.is_zipfile(place):
        return image_files(place)
    folder = Path(tempfile.mkdtemp(prefix="pictures-"))
    try:
        _unpack(place, folder)
    except (OSError, RuntimeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"cannot read {place}: {error}") from error
    found = sorted(file for file in folder.rglob("*") if file.is_file())
    if not found:
        raise DataError(f"no pictures in {place}")
    return found


def _unpack(path, folder):
    with zipfile.ZipFile(path) as archive:
        pictures = [entry for entry in archive.infolist() if _is_picture(entry)]
        size = sum(entry.file_size for entry in pictures)
        if size > _LARGEST_CONTENT:
            raise ValueError(f"it holds {size:,} bytes, expected at most 8 GiB")
        for entry in pictures:
            archive.extract(entry, folder)


def _is_picture(entry):
    path = PurePosixPath(entry.filename)
    # macOS adds a folder of hidden files that have the names of pictures; nor is "..",
    # out of the folder, followed.
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return path.suffix.lower() in READ_SUFFIXES and not hidden
