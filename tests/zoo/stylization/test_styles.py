import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization.styles import (
    StyleError,
    name_of,
    parse_style,
    style_names,
    style_weights,
)

STYLES = ("starry_night", "udnie", "great_wave")


def test_parsing():
    assert parse_style("udnie") == {"udnie": 1.0}
    mixture = {"starry_night": 0.7, "udnie": 0.3}
    assert parse_style("starry_night=0.7, udnie=0.3") == mixture


@pytest.mark.parametrize("text", ["", "a=", "a=x", "=1", "a,,b=1", "a=1,a=2", "a=nan"])
def test_texts_that_are_no_mixture(text):
    with pytest.raises(StyleError, match=r"such as a=0\.7,b=0\.3"):
        parse_style(text)


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("udnie", [0, 1, 0]),
        ("udnie=2,starry_night=6", [0.75, 0.25, 0]),
        ({"great_wave": 0.5}, [0, 0, 1]),
        ({"great_wave": 1, "udnie": 0}, [0, 0, 1]),
    ],
)
def test_shares(style, expected):
    shares = style_weights(style, STYLES)
    assert shares.dtype == np.float32
    np.testing.assert_allclose(shares, expected)


def test_an_unknown_style_names_the_nearest():
    with pytest.raises(StyleError, match=r"'stary_nigt'.* nearest: starry_night$"):
        style_weights("stary_nigt", STYLES)
    with pytest.raises(StyleError, match="starry_night, udnie, great_wave"):
        style_weights({"zzz": 1.0}, STYLES)


@pytest.mark.parametrize("weight", [-0.1, float("inf"), float("nan")])
def test_weights_that_cannot_be(weight):
    with pytest.raises(StyleError, match=r"numbers ≥ 0, got udnie="):
        style_weights({"udnie": weight, "great_wave": 1.0}, STYLES)


@pytest.mark.parametrize("style", [{}, {"udnie": 0.0}])
def test_weights_that_are_all_zero(style):
    with pytest.raises(StyleError, match="must not all be zero"):
        style_weights(style, STYLES)


def test_names_of_files():
    assert name_of("paintings/Starry Night.jpg") == "Starry_Night"
    with pytest.raises(DataError, match="= , /"):
        name_of("a=b.jpg")


def test_names_of_a_release(stylizer_folder):
    assert style_names(stylizer_folder) == ["checks", "dots", "stripes"]
