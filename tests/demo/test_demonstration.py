import matplotlib
import pytest

from yoto_tf.data import photograph, read_image
from yoto_tf.demo.demonstration import demonstrate
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.imaging.metrics import psnr


@pytest.fixture(scope="module")
def shown(release_folder, tmp_path_factory):
    """The demonstration's rows and folder."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    return demonstrate(folder, str(release_folder)), folder


def test_rows_are_what_the_files_hold(shown, untrained_codec):
    rows, folder = shown
    files = sorted(folder.glob("*.yoto"))
    assert [row["file"] for row in rows] == [str(file) for file in files]
    assert len(rows) == 5
    image = photograph()
    for row, file in zip(rows, files, strict=True):
        data = file.read_bytes()
        assert row["bytes"] == len(data)
        assert row["bits_per_pixel"] == 8 * len(data) / (600 * 512)
        assert row["psnr"] == psnr(image, untrained_codec.decompress(data))
        assert row["encode_seconds"] > 0


def test_trade_offs_differ(shown):
    rows, _ = shown
    for name in ("distortion", "bytes", "psnr"):
        values = [row[name] for row in rows]
        assert values == sorted(set(values))
    assert rows[0]["distortion"] == 0.0018
    assert rows[-1]["distortion"] == 0.18


def test_picture_shows_the_original_first(shown):
    _, folder = shown
    comparison = read_image(folder / "comparison.png")
    original = photograph()[150:310, 185:345]
    shown_first = comparison[: 2 * 160 : 2, : 2 * 160 : 2]
    assert (shown_first == original).all()
    columns = comparison.shape[1] // 320
    assert columns == 6


def test_photograph_that_is_missing(monkeypatch, tmp_path):
    monkeypatch.setattr(matplotlib, "get_data_path", lambda: str(tmp_path))
    with pytest.raises(DataError, match=r"grace_hopper\.jpg is missing: this"):
        photograph()


def test_unknown_model_leaves_nothing(tmp_path):
    with pytest.raises(RecipeError, match="no pretrained model or directory 'none'"):
        demonstrate(tmp_path / "out", "none")
    assert not (tmp_path / "out").exists()
