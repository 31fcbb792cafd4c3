import os
import stat
import subprocess
import sys
import threading

import pytest

from yoto_tf.errors import DataError
from yoto_tf.machine.atomic_files import (
    atomic_file,
    check_writable,
    is_special,
    write_atomically,
)

posix = pytest.mark.skipif(os.name != "posix", reason="links and modes of POSIX")


def test_a_new_file_has_the_mode_that_others_have(tmp_path):
    write_atomically(tmp_path / "a", b"new")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


@posix
def test_what_exists_keeps_its_mode(tmp_path):
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_the_file_behind_links_is_written(tmp_path, exists):
    (tmp_path / "store").mkdir()
    if exists:
        (tmp_path / "store" / "real").write_bytes(b"old")
    (tmp_path / "store" / "near").symlink_to("real")
    (tmp_path / "link").symlink_to("store/near")
    check_writable(tmp_path / "link")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "store" / "near").is_symlink()
    assert (tmp_path / "store" / "real").read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path / "store")) == ["near", "real"]


@posix
def test_a_name_of_any_length_and_bytes(tmp_path):
    for name in (os.fsencode("a" * 255), b"caf\xe9"):
        path = os.path.join(os.fsencode(tmp_path), name)
        write_atomically(os.fsdecode(path), b"new")
        with open(path, "rb") as file:
            assert file.read() == b"new"


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write(error):
        with atomic_file(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(ZeroDivisionError):
        write(ZeroDivisionError())
    with pytest.raises(KeyboardInterrupt):
        write(KeyboardInterrupt())
    with pytest.raises(DataError, match=r"cannot write .*a: No space left"):
        write(OSError(28, "No space left on device"))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_readers_see_whole_files_whoever_writes(tmp_path):
    path, size = tmp_path / "a", 300_000
    write_atomically(path, bytes(size))
    failed, torn, done = [], [], threading.Event()

    def write(value):
        try:
            for _ in range(30):
                write_atomically(path, bytes([value]) * size)
        except DataError as error:
            failed.append(error)

    def read():
        while not done.is_set():
            content = path.read_bytes()
            torn.append(len(content) != size or len(set(content[::4096])) > 1)

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(value,)) for value in range(6)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert failed == []
    assert torn
    assert not any(torn)
    assert os.listdir(tmp_path) == ["a"]


@posix
def test_devices_and_pipes_are_written_directly(tmp_path):
    read, write = os.pipe()
    (tmp_path / "out").symlink_to(f"/dev/fd/{write}")
    write_atomically(tmp_path / "out", b"one")
    write_atomically(f"/dev/fd/{write}", b"two")
    assert os.read(read, 99) == b"onetwo"
    os.close(read)
    os.close(write)
    write_atomically("/dev/null", b"nothing")
    assert is_special("/dev/null")
    assert is_special("/dev/stdout")
    assert not is_special(tmp_path)
    assert not is_special(tmp_path / "none")
    os.mkfifo(tmp_path / "fifo")
    reader = threading.Thread(
        target=lambda: (tmp_path / "copy").write_bytes((tmp_path / "fifo").read_bytes())
    )
    reader.start()
    check_writable(tmp_path / "fifo")
    write_atomically(tmp_path / "fifo", b"through")
    reader.join()
    assert (tmp_path / "copy").read_bytes() == b"through"
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


@posix
def test_redirected_output_is_appended_to(tmp_path):
    """A shell's `> file` and the prints around it share one place in the file."""
    (tmp_path / "out").symlink_to("/dev/stdout")
    program = f"""
from yoto_tf.machine.atomic_files import write_atomically
print("before", flush=True)
write_atomically({str(tmp_path / "out")!r}, b"data\\n")
print("after")
"""
    with open(tmp_path / "file", "wb") as file:
        subprocess.run([sys.executable, "-c", program], stdout=file, check=True)
    assert (tmp_path / "file").read_text() == "before\ndata\nafter\n"
    assert sorted(os.listdir(tmp_path)) == ["file", "out"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none/a", "there is no folder .*none"),
        (".", "it is a folder"),
        ("a" * 300, "File name too long"),
        ("file/a", "Not a directory"),
    ],
)
def test_what_cannot_be_written_is_said_in_one_line(tmp_path, name, reason):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=reason) as error:
        check_writable(tmp_path / name)
    assert "\n" not in str(error.value)
    with pytest.raises(DataError, match="cannot write"):
        write_atomically(tmp_path / name, b"new")
    assert os.listdir(tmp_path) == ["file"]


@posix
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_what_is_read_only_stays(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(0o444)
    for write in (check_writable, lambda path: write_atomically(path, b"new")):
        with pytest.raises(DataError, match="read-only"):
            write(path)
    assert path.read_bytes() == b"old"
