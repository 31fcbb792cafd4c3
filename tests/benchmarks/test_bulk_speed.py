"""What is computed from the times, and what the jobs are given."""

import bulk_speed
import pytest
from PIL import Image

from yoto_tf.data import write_image


def test_the_start_of_a_job_is_not_counted():
    assert bulk_speed.rate(10, 50, 7.0, 27.0) == pytest.approx(2.0)


def test_on_paper():
    paper = bulk_speed.on_paper(1.0)
    assert paper["processor_hours"] == pytest.approx(1e8 / 3600)
    assert paper["machines_of_64_for_a_day"] == pytest.approx(1e8 / 3600 / 64 / 24)


def test_pictures_of_one_size_are_shared(photograph, tmp_path):
    write_image(tmp_path / "a.png", photograph)
    folder = tmp_path / "cut"
    bulk_speed.cut([tmp_path / "a.png"], folder, 5, 120, 80)
    contents = {path.read_bytes() for path in folder.iterdir()}
    assert len(contents) == 5
    assert Image.open(folder / "00000.jpg").size == (120, 80)
    shares = bulk_speed.share(folder, tmp_path / "shares", 2)
    assert [len(list(part.iterdir())) for part in shares] == [3, 2]
