import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.measurements import FILE, Measurement, pack, parse
from yoto_tf.zoo.release_folder import read_release, write_release
from yoto_tf.zoo.release_summary import read_summary

PSNR = Measurement("PSNR at distortion = 0.18", 37.14, "dB", "Kodak")
numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.builds(Measurement, st.text(), numbers, st.text(), st.text())))
def test_round_trip(measurements):
    assert parse(pack(measurements).decode()) == tuple(measurements)


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[1]",
        "[{}]",
        '[{"metric": "a", "value": "1", "unit": "", "data": ""}]',
        '[{"metric": "a", "value": NaN, "unit": "", "data": ""}]',
        '[{"metric": 1, "value": 1, "unit": "", "data": ""}]',
        json.dumps(101 * [dataclasses.asdict(PSNR)]),
    ],
)
def test_release_with_other_figures_is_damaged(content, release_folder, tmp_path):
    for path in release_folder.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / FILE).write_text(content)
    with pytest.raises(RecipeError, match="is a damaged release"):
        read_summary(tmp_path)


def test_figures_are_a_part_of_a_release_and_of_no_id(untrained_codec, tmp_path):
    release = dataclasses.replace(untrained_codec.release, measured=(PSNR,))
    assert release.id == untrained_codec.release.id
    write_release(tmp_path, release)
    assert read_release(tmp_path).measured == (PSNR,)
    assert read_summary(tmp_path).measured == (PSNR,)
    # A release without any leaves no figures of another.
    write_release(tmp_path, untrained_codec.release)
    assert read_release(tmp_path).measured == ()


def test_figure_in_a_line():
    assert str(PSNR) == "Kodak, PSNR at distortion = 0.18: 37.14 dB"
    correlation = Measurement("rank correlation", -0.5, "", "24 photographs")
    assert str(correlation) == "24 photographs, rank correlation: −0.5"
