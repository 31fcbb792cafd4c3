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
