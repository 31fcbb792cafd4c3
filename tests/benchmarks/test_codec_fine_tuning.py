import pytest
from codec_fine_tuning import copied, gain, split

from yoto_tf.errors import DataError
from yoto_tf.zoo.codec.evaluation import Evaluation


def evaluation(*factors):
    """One picture a factor, by which its rates are those of one fixed curve."""
    curve = ((0.1, 28.0), (0.2, 30.0), (0.4, 33.0), (0.8, 36.0), (1.6, 38.0))
    images = [
        {
            "name": f"{number}.png",
            "points": [
                {"bits_per_pixel": rate * factor, "psnr": quality}
                for rate, quality in curve
            ],
        }
        for number, factor in enumerate(factors)
    ]
    return Evaluation("codec", "pictures", images)


def test_no_picture_is_on_both_sides(tmp_path):
    # Written in another order than they sort.
    names = ["c.png", "a.png", "e.jpg", "b.png", "d.png"]
    for name in names:
        (tmp_path / name).touch()
    training, held_out = split(tmp_path)
    assert [file.name for file in training] == ["a.png", "c.png", "e.jpg"]
    assert [file.name for file in held_out] == ["b.png", "d.png"]


def test_without_pictures(tmp_path):
    with pytest.raises(DataError, match="no pictures"):
        split(tmp_path)


def test_pictures_of_one_name_are_all_copied(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.png").write_text(folder)
    files = sorted(tmp_path.glob("*/same.png"))
    contents = [file.read_text() for file in copied(files, tmp_path / "new").iterdir()]
    assert sorted(contents) == ["one", "two"]


def test_gain_is_after_against_before():
    found = gain(evaluation(1.0, 1.0), evaluation(0.9, 0.8))
    assert found["pictures"] == {
        "0.png": pytest.approx(-10),
        "1.png": pytest.approx(-20),
    }
    assert found["bd_rate_percent"] == pytest.approx(-15)
    assert found["after"][0]["bits_per_pixel"] == pytest.approx(0.085)
