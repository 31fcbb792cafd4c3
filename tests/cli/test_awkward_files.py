"""Files that are pipes, have odd names or are reached by links, in commands."""

import os
import threading

import numpy as np
import pytest

from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image

ODD = ["a\nb", "\x1b[31mred", "a\u202eb", b"\xff".decode("utf-8", "surrogateescape")]


@pytest.fixture
def image(tmp_path, monkeypatch):
    """The picture in photo.png of the current folder."""
    monkeypatch.chdir(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (24, 20, 3), "uint8")
    write_image("photo.png", image)
    return image


def compress(*arguments):
    return main(["compress", "--lossless", *arguments])


def through_a_pipe(name, content):
    """Makes a named pipe, which gives the content once."""
    os.mkfifo(name)

    def write():
        with open(name, "wb") as pipe:
            pipe.write(content)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


def test_pipes_are_inputs(image):
    with open("photo.png", "rb") as file:
        feeder = through_a_pipe("photo.pipe", file.read())
    assert compress("photo.pipe", "a.yoto") == 0
    feeder.join(10)
    with open("a.yoto", "rb") as file:
        feeder = through_a_pipe("yoto.pipe", file.read())
    assert main(["decompress", "yoto.pipe", "again.png"]) == 0
    feeder.join(10)
    np.testing.assert_array_equal(read_image("again.png"), image)


def test_a_pipe_without_a_picture_is_called_by_its_name(image, capsys):
    through_a_pipe("pipe", b"no picture").join(0)
    assert compress("pipe", "a.yoto") == 2
    expected = "yoto: cannot read pipe: not a picture in a known format\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize("name", ODD)
def test_names_do_not_steer_a_terminal(name, image, capsys):
    os.mkdir("in")
    write_image(f"in/{name}.png", image)
    with open(f"in/{name}-bad.png", "w") as file:
        file.write("no picture")
    with open(f"in/{name}-first.gif", "wb") as file:
        file.write(two_frames())
    assert compress("in", "out") == 1
    assert compress("in", "out", "--no-clobber") == 1
    shown = "".join(capsys.readouterr()).replace("\n", "")
    assert shown.isprintable()
    assert "exists and is left as it is" in shown
    assert "only the first is used" in shown
    assert os.path.isfile(f"out/{name}.yoto")


def two_frames():
    import io

    from PIL import Image

    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def test_many_files_do_not_replace_another_kind_either(image, capsys):
    """Through a link, or under a right name; the others are written."""
    os.makedirs("in")
    os.makedirs("out")
    for name in ("1", "2", "3"):
        write_image(f"in/{name}.png", image)
    write_image("keep.jpg", image)
    os.symlink(os.path.abspath("keep.jpg"), "out/1.yoto")
    os.link("keep.jpg", "out/2.yoto")
    with open("keep.jpg", "rb") as file:
        before = file.read()
    assert compress("in", "out") == 1
    with open("keep.jpg", "rb") as file:
        assert file.read() == before
    assert os.path.isfile("out/3.yoto")
    assert "2 of 3 files failed" in capsys.readouterr().err


@pytest.mark.parametrize("names", [("", "out"), ("photo.png", "")])
def test_no_name(names, image, capsys):
    """As of a variable that is not set; "" is not the current folder."""
    assert compress(*names) == 2
    assert "expected the name of a file" in capsys.readouterr().err
    assert os.listdir() == ["photo.png"]
