import json

import numpy as np
import pytest

from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.imaging.metrics import ms_ssim, psnr


@pytest.fixture
def here(tmp_path, monkeypatch, photograph):
    """a.png, and b.png that differs by 3 in one channel of its left half."""
    monkeypatch.chdir(tmp_path)
    image = np.clip(photograph[:170, :180], 0, 250)
    write_image("a.png", image)
    image[:, :90, 1] += 3
    write_image("b.png", image)
    return tmp_path


def test_measures(here, capsys):
    a, b = read_image("a.png"), read_image("b.png")
    assert main(["diff", "a.png", "b.png", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["psnr"] == pytest.approx(psnr(a, b))
    assert found["ms_ssim"] == pytest.approx(ms_ssim(a, b))
    assert found["greatest"] == 3
    assert (found["width"], found["height"]) == (180, 170)
    assert found["bytes"] == [
        (here / name).stat().st_size for name in ("a.png", "b.png")
    ]
    assert main(["diff", "a.png", "b.png"]) == 0
    text = capsys.readouterr().out
    assert f"{psnr(a, b):.2f}" in text
    assert "3 of 255" in text


def test_the_picture_of_the_differences(here, capsys):
    assert main(["diff", "a.png", "b.png", "-o", "d.png"]) == 0
    assert capsys.readouterr().err == "d.png: the differences × 85\n"
    picture = read_image("d.png")
    assert np.unique(picture[:, :90, 1]).tolist() == [255]
    assert not picture[:, 90:].any()
    assert not picture[..., ::2].any()


def test_a_compressed_file_is_decoded(here, capsys):
    assert main(["compress", "--lossless", "a.png", "a.yoto"]) == 0
    capsys.readouterr()
    assert main(["diff", "a.png", "a.yoto"]) == 0
    text = capsys.readouterr().out
    assert "equal" in text
    assert f"{(here / 'a.yoto').stat().st_size:,}" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.png", "small.png"], "a.png has 180 × 170 pixels, small.png has 20 × 20"),
        (["a.png", "none.png"], "cannot read none.png: No such file"),
        (["a.png", "b.png", "-o", "a.png"], "a.png is the input"),
        (["a.png", "b.png", "-o", "d.xyz"], "expected a picture suffix"),
    ],
)
def test_errors_are_one_line(arguments, message, here, capsys):
    write_image("small.png", np.zeros((20, 20, 3), "uint8"))
    assert main(["diff", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_small_pictures_have_no_ms_ssim(here, capsys):
    write_image("small.png", np.zeros((20, 20, 3), "uint8"))
    assert main(["diff", "small.png", "small.png"]) == 0
    assert "too small" in capsys.readouterr().out
