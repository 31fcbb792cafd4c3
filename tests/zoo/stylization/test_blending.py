import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf import Coefficients, LogUniform
from yoto_tf.cli import main
from yoto_tf.data import read_image, write_image
from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.zoo.stylization.blending import blended, coefficients_at
from yoto_tf.zoo.stylization.styles import StyleError

DIAL = Coefficients(content=LogUniform(0.1, 10), style_1=LogUniform(0.01, 1))


@pytest.fixture
def image(photograph):
    return photograph[100:150, 200:241]


@pytest.fixture
def half():
    """A mask of 50×41 pixels, white on the right."""
    mask = np.zeros((50, 41), "uint8")
    mask[:, 20:] = 255
    return mask


def test_strength_goes_through_the_middle_to_the_ends():
    assert coefficients_at(0, DIAL) == pytest.approx({"content": 10, "style_1": 0.01})
    assert coefficients_at(1, DIAL) == pytest.approx({"content": 1, "style_1": 0.1})
    assert coefficients_at(2, DIAL) == pytest.approx({"content": 0.1, "style_1": 1})
    for wrong in (-0.1, 2.1, float("nan")):
        with pytest.raises(CoefficientError, match="outside its range 0 to 2"):
            coefficients_at(wrong, DIAL)


def test_strength_begins_with_the_photograph(stylizer, image):
    np.testing.assert_array_equal(stylizer.stylize(image, "dots", strength=0), image)
    middle = stylizer.stylize(image, "dots", strength=1)
    np.testing.assert_array_equal(middle, stylizer.stylize(image, "dots"))
    ends = {name: top for name, (_, top) in stylizer.release.ranges.items()}
    ends["content"] = stylizer.release.ranges["content"][0]
    strongest = stylizer.stylize(image, "dots", strength=2)
    np.testing.assert_array_equal(strongest, stylizer.stylize(image, "dots", **ends))
    # The photograph fades out.
    away = [
        np.abs(stylizer.stylize(image, "dots", strength=s).astype(int) - image).mean()
        for s in (0.1, 0.3, 0.5)
    ]
    assert away == sorted(away)


def test_a_coefficient_that_is_given_stays(stylizer, image):
    one = stylizer.stylize(image, "dots", strength=2, style_1=0.01)
    setting = stylizer.setting("dots", strength=2, style_1=0.01)
    assert setting.coefficients["style_1"] == 0.01
    expected = stylizer.stylize(image, "dots", **setting.coefficients)
    np.testing.assert_array_equal(one, expected)


def test_a_style_inside_and_another_or_none_outside(stylizer, image, half):
    dots, checks = (stylizer.stylize(image, name) for name in ("dots", "checks"))
    masked = stylizer.stylize(image, "dots", mask=half)
    np.testing.assert_array_equal(masked[:, 20:], dots[:, 20:])
    np.testing.assert_array_equal(masked[:, :20], image[:, :20])
    both = stylizer.stylize(image, "dots", mask=half, outside="checks")
    np.testing.assert_array_equal(both[:, 20:], dots[:, 20:])
    np.testing.assert_array_equal(both[:, :20], checks[:, :20])
    colored = np.dstack([half] * 3)
    again = stylizer.stylize(image, "dots", mask=colored, outside="checks")
    np.testing.assert_array_equal(again, both)


@given(st.integers(0, 255), st.integers(0, 255), st.floats(0, 1))
def test_a_mixture_lies_between(first, second, share):
    pictures = (np.full((2, 3, 3), value, "uint8") for value in (first, second))
    mixture = blended(*pictures, np.full((2, 3), share))
    assert mixture.dtype == np.uint8
    assert np.abs(mixture - ((1 - share) * first + share * second)).max() <= 0.501


def test_masks_that_are_none(stylizer, image, half):
    with pytest.raises(DataError, match="size, 41x50 pixels of 8 bits, got 40x50"):
        stylizer.stylize(image, "dots", mask=half[:, 1:])
    with pytest.raises(DataError, match=r"\[height, width, 3\], got \[50, 41, 4\]"):
        stylizer.stylize(image, "dots", mask=np.dstack([half] * 4))
    with pytest.raises(DataError, match="got 41x50 of float64"):
        stylizer.stylize(image, "dots", mask=half / 255)
    with pytest.raises(DataError, match="expected a mask to tell what is outside"):
        stylizer.stylize(image, "dots", outside="checks")
    with pytest.raises(StyleError, match="lines"):
        stylizer.stylize(image, "dots", mask=half, outside="lines")


def test_the_command(stylizer_folder, image, half, tmp_path, capsys):
    photo, mask, out = (tmp_path / name for name in ("photo.png", "m.png", "out.png"))
    write_image(photo, image)
    write_image(mask, half)
    command = ["stylize", str(photo), str(out), "--model", str(stylizer_folder)]
    dots = ["--style", "dots"]
    assert main([*command, *dots, "--mask", str(mask), "--strength", "1.5"]) == 0
    written = read_image(out)
    np.testing.assert_array_equal(written[:, :20], image[:, :20])
    assert (written[:, 20:] != image[:, 20:]).mean() > 0.5
    assert main([*command, *dots, "--mask", str(mask), "--outside", "checks"]) == 0
    assert (read_image(out)[:, :20] != image[:, :20]).mean() > 0.5
    capsys.readouterr()
    out.unlink()
    before = mask.read_bytes()
    onto_mask = ["stylize", str(photo), str(mask), "--model", str(stylizer_folder)]
    for wrong, message in (
        ([*command, *dots, "--outside", "checks"], "expected a mask"),
        ([*command, *dots, "--mask", str(mask), "--outside", "lines"], "lines"),
        ([*command, *dots, "--strength", "3"], "outside its range 0 to 2"),
        ([*command, *dots, "--mask", str(tmp_path / "no.png")], "No such file"),
        ([*onto_mask, *dots, "--mask", str(mask)], "is the mask"),
        ([*command, "--random", "2", "--strength", "1"], "expected no --strength"),
    ):
        assert main(wrong) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert not out.exists()
    assert mask.read_bytes() == before
