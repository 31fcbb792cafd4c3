import os
import subprocess
import sys

import pytest

from yoto_tf.errors import DataError
from yoto_tf.machine.folder_lock import folder_lock

HOLD = """
import sys
from yoto_tf.machine.folder_lock import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path / "work"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_refused_until_the_first_ends(holder, tmp_path):
    with (
        pytest.raises(DataError, match=rf"work is in use by process {holder.pid}$"),
        folder_lock(tmp_path / "work"),
    ):
        pass
    holder.communicate()
    with folder_lock(tmp_path / "work"):
        pass
    assert os.listdir(tmp_path / "work") == []


def test_a_lock_dies_with_its_process(holder, tmp_path):
    holder.kill()
    holder.wait()
    with folder_lock(tmp_path / "work"):
        pass


def test_other_threads_and_names_of_the_folder_are_refused_too(tmp_path):
    (tmp_path / "link").symlink_to("work")
    with (
        folder_lock(tmp_path / "work"),
        pytest.raises(DataError, match="in use"),
        folder_lock(tmp_path / "link"),
    ):
        pass


def test_after_an_error_nothing_is_left(tmp_path):
    with pytest.raises(ZeroDivisionError), folder_lock(tmp_path / "a" / "b"):
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_what_was_there_or_was_written_stays(tmp_path):
    folder = tmp_path / "there" / "new"
    folder.parent.mkdir()

    def fail():
        with folder_lock(folder):
            (folder / "written").touch()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(folder) == ["written"]


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(DataError, match=r"cannot write .*file"),
        folder_lock(tmp_path / "file"),
    ):
        pass
