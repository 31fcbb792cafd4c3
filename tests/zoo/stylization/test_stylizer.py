import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.zoo.stylization.color import with_colors_of
from yoto_tf.zoo.stylization.styles import StyleError


@pytest.fixture
def image(photograph):
    return photograph[100:150, 200:241]


def test_a_picture_of_the_same_size(stylizer, image):
    out = stylizer.stylize(image, "dots")
    assert out.shape == image.shape
    assert out.dtype == np.uint8
    assert out.std() > 10
    np.testing.assert_array_equal(stylizer.stylize(image, "dots"), out)


def test_unnamed_coefficients_take_the_middle(stylizer, image):
    middle = dict.fromkeys(stylizer.coefficients.names, 0.1)
    expected = stylizer.stylize(image, "dots", **middle)
    np.testing.assert_array_equal(stylizer.stylize(image, "dots"), expected)
    other = stylizer.stylize(image, "dots", content=1.0)
    assert (other != expected).mean() > 0.1


def test_mixtures(stylizer, image):
    mixed = stylizer.stylize(image, {"dots": 0.7, "checks": 0.3})
    text = stylizer.stylize(image, "dots=0.7,checks=0.3")
    np.testing.assert_array_equal(mixed, text)
    for name in ("dots", "checks"):
        assert (stylizer.stylize(image, name) != mixed).mean() > 0.1


def test_saved_and_loaded(stylizer, stylizer_folder, image):
    loaded = zoo.load(stylizer_folder)
    assert loaded.styles == stylizer.styles
    assert loaded.card == stylizer.card
    expected = stylizer.stylize(image, "stripes", style_1=0.02)
    actual = loaded.stylize(image, "stripes", style_1=0.02)
    np.testing.assert_array_equal(actual, expected)


def test_preserving_colour(stylizer, image):
    stylized = stylizer.stylize(image, "dots")
    out = stylizer.stylize(image, "dots", preserve_color=True)
    np.testing.assert_array_equal(out, with_colors_of(image, stylized))


def test_luma_of_one_picture_and_chroma_of_the_other(rng):
    # Values from which no sum leaves the range.
    photograph = rng.integers(100, 150, (8, 8, 3)).astype("uint8")
    stylized = rng.integers(100, 150, (8, 8, 3)).astype("uint8")
    out = with_colors_of(photograph, stylized)
    ycbcr = np.array(
        [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]
    )
    luma, *chroma = np.moveaxis(out @ ycbcr.T, -1, 0)
    np.testing.assert_allclose(luma, (stylized @ ycbcr.T)[..., 0], atol=1)
    expected = np.moveaxis(photograph @ ycbcr.T, -1, 0)[1:]
    np.testing.assert_allclose(chroma, expected, atol=0.1)


def test_random_settings(stylizer):
    settings = stylizer.random_settings(20, seed=1)
    assert settings == stylizer.random_settings(20, seed=1)
    assert settings != stylizer.random_settings(20, seed=2)
    assert len({next(iter(setting.style)) for setting in settings}) == 3
    contents = [setting.coefficients["content"] for setting in settings]
    assert 0.01 <= min(contents) < 0.05
    assert 0.3 < max(contents) <= 1


def test_random_settings_of_what_is_not_given(stylizer):
    for setting in stylizer.random_settings(5, style="dots=1,checks=3", content=0.5):
        assert setting.style == {"checks": 0.75, "dots": 0.25}
        assert setting.coefficients["content"] == 0.5


def test_a_setting_in_words(stylizer):
    setting = stylizer.setting("dots", content=0.25)
    assert str(setting) == (
        "dots, content 0.25, style_1 0.1, style_2 0.1, style_3 0.1, style_4 0.1"
    )


@pytest.mark.parametrize("size", [(15, 100), (100, 15)])
def test_pictures_that_are_too_small(stylizer, photograph, size):
    small = photograph[: size[0], : size[1]]
    with pytest.raises(DataError, match=f"16x16 pixels, got {size[1]}x{size[0]}"):
        stylizer.stylize(small, "dots")
    smallest = photograph[:16, :16]
    assert stylizer.stylize(smallest, "dots").shape == (16, 16, 3)


def test_bad_input(stylizer, image):
    with pytest.raises(DataError, match=r"uint8 image .* got float64"):
        stylizer.stylize(image / 255, "dots")
    with pytest.raises(StyleError, match=r"unknown style 'dot', nearest: dots"):
        stylizer.stylize(image, "dot")
    with pytest.raises(CoefficientError, match=r"content = 3 .* \[0\.01, 1\]"):
        stylizer.stylize(image, "dots", content=3)
    with pytest.raises(CoefficientError, match="Did you mean 'style_1'"):
        stylizer.stylize(image, "dots", style1=0.1)
