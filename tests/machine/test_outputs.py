import os

import pytest

from yoto_tf.errors import DataError
from yoto_tf.machine.outputs import check_output, is_read

READ = frozenset({".png", ".jpg"})


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Pictures in folders, and links to one of them and to a folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("photo.png", "r/1.png", "r/a/2.jpg", "a[1]/3.png", "note.txt"):
        os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
        open(name, "w").close()
    os.symlink("photo.png", "link.png")
    os.symlink("r", "linked")
    return tmp_path


def check(path, *sources):
    check_output(path, READ, "a picture suffix such as .png", sources, READ)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        # The input itself
        ("photo.png", "photo.png"),
        ("./r/../photo.png", "photo.png"),
        ("link.png", "photo.png"),
        ("photo.png", "link.png"),
        # One of the inputs, or one of the next run
        ("r/1.png", "r"),
        ("r/new.png", "r"),
        ("r/a/new.jpg", "r/"),
        ("r/new.png", "linked"),
        ("linked/new.png", "r"),
        ("new.png", "."),
        ("r/1.png", "r/*.png"),
        ("r/new.png", "r/*.png"),
        ("linked/new.png", "r/*"),
        ("r/new.png", "linked/*.png"),
        ("r/a/new.jpg", "**/*.jpg"),
        ("new.jpg", "**/*.jpg"),
        ("r/a/new.jpg", "r/**"),
        ("a[1]/new.png", "a[[]1]/*.png"),
    ],
)
def test_what_is_read_is_not_written(here, path, source):
    assert is_read(path, source, READ)
    with pytest.raises(DataError) as error:
        check(path, source)
    assert "\n" not in str(error.value)
    assert path in str(error.value)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("new.png", "photo.png"),
        ("r/2.png", "r/1.png"),
        ("photo.png", "r"),
        ("new.png", "r"),
        ("new.png", "r/*.png"),
        ("r/a/new.png", "r/*.png"),
        ("r/new.jpg", "r/*.png"),
        ("new.png", "none"),
        ("new.png", "tfds:cifar10:test"),
    ],
)
def test_what_is_not_read_may_be_written(here, path, source):
    check(path, source)


def test_of_another_kind(here):
    for name in ("note.txt", "photo", "a.yoto"):
        with pytest.raises(DataError, match="expected a picture suffix"):
            check(name)
    with pytest.raises(DataError, match="it is a folder"):
        check("r")
    check("PHOTO.PNG")
    check("/dev/null")


def test_files_of_a_folder_that_are_there(here):
    assert is_read("r/1.png", "r")
    assert not is_read("r/new.png", "r")


@pytest.mark.parametrize("name", ["", "a\0b.png"])
def test_what_is_no_name(here, name):
    with pytest.raises(DataError, match="expected the name of a file, got"):
        check(name)
    with pytest.raises(DataError, match="expected the name of a file, got"):
        check("new.png", name)


def test_a_link_to_a_file_of_another_kind(here):
    """Through any number of links, and by the content where no name tells."""
    os.symlink("note.txt", "first.png")
    os.symlink("first.png", "second.png")
    os.symlink("nowhere.txt", "dangling.png")
    for name in ("first.png", "second.png", "dangling.png"):
        with pytest.raises(DataError, match=r"it is a link to .*(note|nowhere)\.txt"):
            check(name)
    os.symlink("nosuffix", "free.png")
    check("free.png")
    with open("nosuffix", "wb") as file:
        file.write(b"%PDF-1.7")
    with pytest.raises(DataError, match=r"it holds what \.pdf files do"):
        check("free.png")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4rest",
        b"\x1f\x8b\x08",
        b"%PDF-1.4",
        b"\0\0\0\x18ftypmp42",
        b"\x89HDF\r\n",
    ],
)
def test_content_of_another_kind_under_a_right_name(here, content):
    with open("photo.png", "wb") as file:
        file.write(content)
    with pytest.raises(DataError, match=r"it holds what .* files do"):
        check("photo.png")
    os.link("photo.png", "hard.jpg")
    with pytest.raises(DataError, match=r"it holds what .* files do"):
        check("hard.jpg")


@pytest.mark.parametrize("content", [b"", b"half of a picture", b"\xff\xd8\xff\xe0"])
def test_pictures_and_what_is_nothing_may_be_replaced(here, content):
    with open("photo.png", "wb") as file:
        file.write(content)
    check("photo.png")
