import builtins

import numpy as np
import pytest
from PIL import Image

from yoto_tf import zoo
from yoto_tf.data import read_image, write_image
from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.files import compress_files, decompress_files, describe


@pytest.fixture
def pictures(tmp_path, photograph):
    """Two good pictures and a bad one, one of them in a folder below."""
    folder = tmp_path / "pictures"
    (folder / "below").mkdir(parents=True)
    write_image(folder / "a.png", photograph[:40, :50])
    write_image(folder / "below" / "b.png", photograph[100:130, 200:270])
    (folder / "bad.png").write_bytes(b"no picture")
    return folder


def names(folder):
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )


def test_file_there_and_back(untrained_codec, pretrained, pictures, tmp_path):
    report = compress_files(pictures / "a.png", tmp_path / "a.yoto", distortion=0.02)
    assert report.failed == []
    [file] = report.files
    data = (tmp_path / "a.yoto").read_bytes()
    image = read_image(pictures / "a.png")
    assert data == untrained_codec.compress(image, distortion=0.02)
    assert file == {
        "input": str(pictures / "a.png"),
        "output": str(tmp_path / "a.yoto"),
        "model": "codec",
        "model_id": untrained_codec.model_id.hex(),
        "coefficients": {"distortion": 0.02},
        "width": 50,
        "height": 40,
        "bytes": len(data),
        "bits_per_pixel": 8 * len(data) / (40 * 50),
    }
    decompress_files(tmp_path / "a.yoto", tmp_path / "back.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "back.png"), untrained_codec.decompress(data)
    )


def test_folder_there_and_back(pretrained, pictures, tmp_path):
    report = compress_files(pictures, tmp_path / "small", quality=0.3)
    assert names(tmp_path / "small") == ["a.yoto", "below/b.yoto"]
    assert [file["input"] for file in report.files] == [
        str(pictures / "a.png"),
        str(pictures / "below" / "b.png"),
    ]
    [failure] = report.failed
    assert failure["input"] == str(pictures / "bad.png")
    assert "bad.png: not a picture" in failure["error"]

    (tmp_path / "small" / "a.yoto").write_bytes(b"YOTO and no more")
    report = decompress_files(tmp_path / "small", tmp_path / "back")
    assert names(tmp_path / "back") == ["below/b.png"]
    assert len(report.files) == 1
    assert "a.yoto: " in report.failed[0]["error"]
    assert read_image(tmp_path / "back" / "below" / "b.png").shape == (30, 70, 3)


def test_glob_is_many_files_even_if_it_is_one(pretrained, pictures, tmp_path):
    report = compress_files(pictures / "a*.png", tmp_path / "small")
    assert names(tmp_path / "small") == ["a.yoto"]
    assert len(report.files) == 1
    report = compress_files(pictures / "**" / "[ab].png", tmp_path / "more")
    assert names(tmp_path / "more") == ["a.yoto", "below/b.yoto"]


def test_two_inputs_never_make_one_output(
    pretrained, pictures, tmp_path, untrained_codec
):
    write_image(pictures / "a.bmp", np.zeros((9, 9, 3), "uint8"))
    report = compress_files(pictures, tmp_path / "small")
    errors = [failure["error"] for failure in report.failed]
    assert f"a.png: {tmp_path}/small/a.yoto is made of {pictures}/a.bmp" in errors[0]
    assert describe(tmp_path / "small" / "a.yoto")["width"] == 9


def test_target_is_met_for_every_file(pretrained, pictures, tmp_path):
    compress_files(pictures, tmp_path / "low", quality=0.0)
    compress_files(pictures, tmp_path / "high", quality=1.0)
    size = (
        sum(describe(tmp_path / end / "a.yoto")["bytes"] for end in ("low", "high"))
        // 2
    )
    report = compress_files(pictures / "a.png", tmp_path / "a.yoto", target_size=size)
    assert 0.99 * size - 1 <= report.files[0]["bytes"] <= size
    with pytest.raises(DataError, match=r"a\.png: a target size of 20 is out of reach"):
        compress_files(pictures / "a.png", tmp_path / "b.yoto", target_size=20)
    assert not (tmp_path / "b.yoto").exists()


def test_wrong_setting_stops_at_the_first_file(pretrained, pictures, tmp_path):
    with pytest.raises(CoefficientError, match=r"quality lies in \[0, 1\]"):
        compress_files(pictures, tmp_path / "small", quality=2.0)
    assert not (tmp_path / "small").exists()


def test_input_is_never_overwritten(pretrained, pictures, tmp_path):
    before = {name: (pictures / name).read_bytes() for name in names(pictures)}
    link = tmp_path / "link.png"
    link.symlink_to(pictures / "a.png")
    for output in (pictures / "a.png", link):
        with pytest.raises(DataError, match="is the input, expected another"):
            compress_files(pictures / "a.png", output)
    for convert in (compress_files, decompress_files):
        with pytest.raises(DataError):
            convert(pictures, pictures / "below" / "..")
    assert {name: (pictures / name).read_bytes() for name in names(pictures)} == before


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("none.png", "a.yoto", "no such file or folder: .*none.png"),
        ("*.tif", "small", r"no file matches .*\*.tif"),
        ("empty", "small", "no pictures in the folder"),
        ("a.png", "none/a.yoto", "there is no folder .*none"),
        ("a.png", "full", "it is a folder, expected a file"),
        (".", "bad.png", "is a file, expected a folder"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(
    pictures, source, target, message
):
    (pictures / "empty").mkdir()
    (pictures / "full").mkdir()
    (pictures / "full" / "a.yoto").mkdir()
    before = names(pictures)
    with pytest.raises(DataError, match=message):
        compress_files(pictures / source, pictures / target)
    assert names(pictures) == before


def test_description_needs_no_model(tmp_path):
    data = Container(b"8 bytes.", (0.02, 0.5), 30, 20, (b"a", b"bc")).to_bytes()
    (tmp_path / "a.yoto").write_bytes(data)
    assert describe(tmp_path / "a.yoto") == {
        "input": str(tmp_path / "a.yoto"),
        "model": None,
        "model_id": b"8 bytes.".hex(),
        "coefficients": {"coefficient_1": 0.02, "coefficient_2": 0.5},
        "width": 20,
        "height": 30,
        "bytes": len(data),
        "bits_per_pixel": 8 * len(data) / 600,
    }


def test_unknown_model_is_named(pretrained, tmp_path):
    data = Container(b"8 bytes.", (0.02,), 30, 20, (b"a", b"bc")).to_bytes()
    (tmp_path / "a.yoto").write_bytes(data)
    with pytest.raises(
        FormatError,
        match=rf"a\.yoto: written by model {b'8 bytes.'.hex()}.*ones \(codec\)",
    ):
        decompress_files(tmp_path / "a.yoto", tmp_path / "a.png")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_picture_too_large_is_refused_unread(pretrained, tmp_path):
    Image.new("1", (11_600, 11_600)).save(tmp_path / "large.png")
    with pytest.raises(
        FormatError, match=r"large\.png: picture of 11600×11600 .* at most 134,217,728"
    ):
        compress_files(tmp_path / "large.png", tmp_path / "large.yoto")
    assert not (tmp_path / "large.yoto").exists()


def test_the_model_is_loaded_once(pretrained, pictures, tmp_path, monkeypatch):
    loaded = []
    load = zoo.load
    monkeypatch.setattr(
        zoo, "load", lambda *names: loaded.append(names) or load(*names)
    )
    compress_files(pictures, tmp_path / "small")
    decompress_files(tmp_path / "small", tmp_path / "back")
    assert loaded == [("codec",)] * 2


def test_a_folder_is_decoded_in_one_reading(
    pretrained, photograph, tmp_path, monkeypatch
):
    (tmp_path / "pictures").mkdir()
    for number in range(5):
        write_image(tmp_path / "pictures" / f"{number}.png", photograph[:20, :30])
    compress_files(tmp_path / "pictures", tmp_path / "small")
    parsed, scans, opened = [], [], []
    parse, summaries, open_file = Container.from_bytes, zoo.summaries, builtins.open

    def counting_open(path, *arguments, **options):
        if str(path).endswith(".yoto"):
            opened.append(str(path))
        return open_file(path, *arguments, **options)

    monkeypatch.setattr(
        Container, "from_bytes", lambda data: parsed.append(data) or parse(data)
    )
    monkeypatch.setattr(zoo, "summaries", lambda: scans.append(1) or summaries())
    monkeypatch.setattr(builtins, "open", counting_open)
    report = decompress_files(tmp_path / "small", tmp_path / "back")
    assert [file["model"] for file in report.files] == ["codec"] * 5
    assert len(parsed) == 5
    assert sorted(opened) == [str(tmp_path / "small" / f"{n}.yoto") for n in range(5)]
    assert len(scans) == 1


def test_a_folder_of_pictures_looks_a_release_up_once(
    pretrained, pictures, tmp_path, monkeypatch
):
    scans, summaries = [], zoo.summaries
    monkeypatch.setattr(zoo, "summaries", lambda: scans.append(1) or summaries())
    report = compress_files(pictures, tmp_path / "small")
    assert [file["model"] for file in report.files] == ["codec"] * 2
    assert len(scans) == 1
