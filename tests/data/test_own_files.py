"""Pictures that a notebook's user uploads, has in a zip file or on a Drive."""

import sys
import types
import zipfile

import numpy as np
import pytest

from yoto_tf.data import own_pictures, read_image, write_image
from yoto_tf.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Two pictures, one in a folder below, and what a folder of pictures has beside."""
    (tmp_path / "photos" / "below").mkdir(parents=True)
    write_image(tmp_path / "photos" / "b.png", np.full((3, 4, 3), 7, "uint8"))
    write_image(tmp_path / "photos" / "below" / "a.jpg", np.zeros((5, 6, 3), "uint8"))
    (tmp_path / "photos" / "notes.txt").write_text("not a picture")
    return tmp_path / "photos"


@pytest.fixture
def archive(folder):
    path = folder.parent / "photos.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("b.png", "below/a.jpg", "notes.txt"):
            file.write(folder / name, name)
        file.writestr("__MACOSX/._b.png", b"not a picture")
        file.writestr("../outside.png", (folder / "b.png").read_bytes())
    return path


@pytest.fixture
def colab(monkeypatch):
    """Takes Colab's place; what it was asked to do, and what is uploaded there."""
    asked = types.SimpleNamespace(mounted=[], uploads=[])
    module = types.ModuleType("google.colab")
    module.drive = types.SimpleNamespace(mount=asked.mounted.append)
    module.files = types.SimpleNamespace(
        upload=lambda: {str(name): b"" for name in asked.uploads}
    )
    monkeypatch.setitem(sys.modules, "google.colab", module)
    return asked


def test_a_folder_and_a_file(folder):
    assert own_pictures(folder) == [folder / "b.png", folder / "below" / "a.jpg"]
    assert own_pictures(str(folder / "b.png")) == [folder / "b.png"]


def test_a_zip_file_is_unpacked_into_a_folder_of_its_own(archive, tmp_path):
    before = set(tmp_path.rglob("*"))
    found = own_pictures(archive)
    assert [path.name for path in found] == ["b.png", "a.jpg"]
    assert [read_image(path).shape for path in found] == [(3, 4, 3), (5, 6, 3)]
    assert set(tmp_path.rglob("*")) == before
    # Unpacked again, not found among the old ones.
    assert not set(found) & set(own_pictures(archive))


def test_nothing_is_asked_for_outside_colab():
    assert own_pictures() == []


def test_on_colab_pictures_and_zip_files_are_uploaded(colab, folder, archive):
    assert own_pictures() == []
    colab.uploads = [folder / "b.png", archive]
    names = [path.name for path in own_pictures()]
    assert names == ["b.png", "b.png", "a.jpg"]
    assert not colab.mounted


def test_a_drive_is_mounted_when_it_is_named(colab, folder):
    own_pictures(folder)
    assert not colab.mounted
    with pytest.raises(DataError, match=r"no such file or folder: /content/drive/MyD"):
        own_pictures("/content/drive/MyDrive/Photos")
    assert colab.mounted == ["/content/drive"]


def test_what_cannot_be_unpacked(archive, tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"no such file or folder: .*none.zip"):
        own_pictures(tmp_path / "none.zip")
    with zipfile.ZipFile(tmp_path / "text.zip", "w") as file:
        file.writestr("notes.txt", "not a picture")
    with pytest.raises(DataError, match=r"no pictures in .*text.zip"):
        own_pictures(tmp_path / "text.zip")
    monkeypatch.setattr("yoto_tf.data.own_files._LARGEST_CONTENT", 100)
    with pytest.raises(DataError, match=r"photos.zip: it holds .* expected at most"):
        own_pictures(archive)
    monkeypatch.undo()
    data = bytearray(archive.read_bytes())
    data[50:60] = bytes(10)
    archive.write_bytes(data)
    with pytest.raises(DataError, match=r"cannot read .*photos.zip: "):
        own_pictures(archive)
