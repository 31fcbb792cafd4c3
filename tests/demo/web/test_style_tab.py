import shlex
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from yoto_tf.cli.coefficients import coefficients
from yoto_tf.errors import YotoError
from yoto_tf.zoo.stylization import Stylizer
from yoto_tf.zoo.stylization.styles import parse_style

pytest.importorskip("gradio", reason="the extra `web` is not installed")

from yoto_tf.demo.web.style_tab import (
    NONE,
    chosen,
    command,
    random_positions,
    shares,
    stylize,
)

MIDDLE = [0.5] * 5


@pytest.fixture(scope="module")
def image(photograph):
    return photograph[100:150, 100:160]


def test_positions_are_places_on_the_dials(stylizer, image):
    picture, setting = stylize(stylizer, image, [1, 0], [0.0, 0.5, 1.0, 0.5, 0.5])
    values = setting.coefficients
    assert values["content"] == pytest.approx(0.01)
    assert values["style_1"] == pytest.approx(0.1)
    assert values["style_2"] == pytest.approx(1.0)
    expected = stylizer.stylize(image, "great_wave", **values)
    np.testing.assert_array_equal(picture, expected)


def test_mixture_goes_by_shares(stylizer, image):
    picture, setting = stylize(stylizer, image, [0.2, 0.6], MIDDLE)
    assert setting.style == pytest.approx({"great_wave": 0.25, "udnie": 0.75})
    expected = stylizer.stylize(image, {"great_wave": 1, "udnie": 3})
    np.testing.assert_array_equal(picture, expected)
    for alone in ([1, 0], [0, 1]):
        assert (stylize(stylizer, image, alone, MIDDLE)[0] != picture).any()


def test_no_style_at_all(stylizer, image):
    with pytest.raises(YotoError, match="weights must not all be zero"):
        stylize(stylizer, image, [0, 0], MIDDLE)


def test_random_positions_are_settings(stylizer, image):
    drawn = [random_positions(stylizer) for _ in range(20)]
    assert {style for style, _ in drawn} == {0, 1}
    assert len({tuple(positions) for _, positions in drawn}) == 20
    style, positions = drawn[0]
    stylize(stylizer, image, shares(stylizer, (style, NONE), 0.5), positions)


def test_clicks_choose_the_last_two():
    assert chosen((3, NONE), 5) == (3, 5)
    assert chosen((3, 5), 7) == (5, 7)
    assert chosen((3, 5), 3) == (3, NONE)
    assert chosen((3, 5), 5) == (5, NONE)
    assert chosen((3, NONE), 3) == (3, NONE)


def test_shares_of_one_style_or_two(stylizer):
    assert shares(stylizer, (1, NONE), 0.3) == [0.0, 1.0]
    assert shares(stylizer, (1, 0), 0.25) == [0.25, 0.75]


def test_command_makes_the_same_picture(stylizer, image):
    picture, setting = stylize(stylizer, image, [0.2, 0.6], [0.1, 0.3, 0.5, 0.7, 0.9])
    line = command(setting).strip("`\n").replace("\\\n", "")
    words = shlex.split(line)
    assert words[:4] == ["yoto", "stylize", "photo.jpg", "out.png"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    again = stylizer.stylize(
        image,
        parse_style(options["--style"]),
        **coefficients(options["--coefficients"]),
    )
    # Three digits of a weight are not all of them.
    assert np.abs(picture.astype(int) - again).mean() < 1


def test_users_at_the_same_time_get_their_own(stylizer, photograph):
    # A new one, so that its first pictures compile it at the same time.
    stylizer = Stylizer(stylizer.release)

    def work(number):
        image = photograph[: 40 + number, : 50 + number]
        return stylize(stylizer, image, [number, 3], [number / 7] * 5)[0]

    numbers = range(8)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, numbers))
    alone = [work(number) for number in numbers]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)
