"""Lossless files from the command line and from Python; no network takes part."""

import json
import subprocess
import sys

import numpy as np
import pytest

from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.errors import CoefficientError, FormatError
from yoto_tf.zoo.codec.coding.container import NO_MODEL, Container
from yoto_tf.zoo.codec.files import compress_files, decompress_files, describe

# A codec's files in a process that must not load Keras.
WITHOUT_KERAS = """
import sys
from yoto_tf.cli import main
for arguments in (
    ["compress", "{0}/a.png", "{0}/a.yoto", "--lossless"],
    ["info", "{0}/a.yoto", "--json"],
    ["decompress", "{0}/a.yoto", "{0}/again.png"],
):
    assert main(arguments) == 0, arguments
loaded = [name for name in ("keras", "tensorflow", "jax") if name in sys.modules]
assert not loaded, loaded
"""


@pytest.fixture
def folder(tmp_path, photograph):
    write_image(tmp_path / "a.png", photograph[:150, :130])
    return tmp_path


def test_round_trip_without_keras(folder):
    code = WITHOUT_KERAS.format(folder)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(
        read_image(folder / "again.png"), read_image(folder / "a.png")
    )
    assert '"second_layer": "lossless"' in done.stdout


def test_any_codec_decodes_it(untrained_codec, photograph):
    image = photograph[:100, :90]
    data = untrained_codec.compress(image, lossless=True)
    container = Container.from_bytes(data)
    assert (container.model_id, container.coefficients) == (NO_MODEL, ())
    np.testing.assert_array_equal(untrained_codec.decompress(data), image)


@pytest.mark.parametrize(
    "how", [{"quality": 0.5}, {"target_bpp": 1.0}, {"distortion": 0.02}]
)
def test_it_has_no_quality(untrained_codec, photograph, folder, how):
    with pytest.raises(CoefficientError, match="lossless"):
        untrained_codec.compress(photograph, lossless=True, **how)
    with pytest.raises(CoefficientError, match="lossless"):
        compress_files(folder / "a.png", folder / "a.yoto", lossless=True, **how)
    assert not (folder / "a.yoto").exists()


def test_info_says_what_a_file_holds(folder, capsys):
    compress_files(folder / "a.png", folder / "a.yoto", lossless=True)
    assert main(["info", str(folder / "a.yoto")]) == 0
    out = capsys.readouterr().out
    assert "layer    lossless" in out
    assert "model" not in out
    assert main(["info", "--json", str(folder / "a.yoto")]) == 0
    assert json.loads(capsys.readouterr().out)["coefficients"] == {}


def test_many_files(folder, photograph):
    write_image(folder / "b.png", photograph[:40, :300])
    report = compress_files(folder, folder / "small", lossless=True)
    assert not report.failed
    report = decompress_files(folder / "small", folder / "again")
    assert [file["second_layer"] for file in report.files] == ["lossless"] * 2
    for name in ("a.png", "b.png"):
        np.testing.assert_array_equal(
            read_image(folder / "again" / name), read_image(folder / name)
        )


def test_a_damaged_one_is_refused(folder):
    compress_files(folder / "a.png", folder / "a.yoto", lossless=True)
    data = (folder / "a.yoto").read_bytes()
    container = Container.from_bytes(data)
    forged = Container(
        NO_MODEL, (), 150, 131, (), lossless=container.lossless
    ).to_bytes()
    for damaged, message in ((data[:-1], "truncated"), (forged, "damaged data")):
        (folder / "a.yoto").write_bytes(damaged)
        with pytest.raises(FormatError, match=message):
            decompress_files(folder / "a.yoto", folder / "again.png")
        assert not (folder / "again.png").exists()
    assert describe(folder / "a.yoto")["width"] == 131
