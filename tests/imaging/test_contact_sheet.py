import numpy as np
import pytest

from yoto_tf.imaging.contact_sheet import CELL, contact_sheet


def filled(value, height, width):
    return np.full((height, width, 3), value, "uint8")


def text_lines(sheet):
    """How many lines there are of anything dark on white."""
    dark = (sheet < 100).any(axis=(1, 2))
    return np.count_nonzero(dark[1:] & ~dark[:-1])


def test_as_many_columns_as_rows_or_one_more():
    pictures = [filled(50 * number, 600, 800) for number in range(5)]
    sheet = contact_sheet(pictures, ["a caption, of several, parts"] * 5)
    # Three columns and two rows.
    assert 3 * CELL < sheet.shape[1] < 3 * CELL + 100
    assert 2 * CELL * 3 // 4 < sheet.shape[0] < 2 * CELL
    for number in range(5):
        row, column = divmod(number, 3)
        y = sheet.shape[0] * row // 2 + 100
        x = sheet.shape[1] * column // 3 + 100
        assert (sheet[y, x] == 50 * number).all()
    # Words, and nothing else that is dark, below the last picture.
    below = sheet[-30:, sheet.shape[1] // 3 : sheet.shape[1] * 2 // 3]
    assert (below < 100).any()


def test_a_row():
    pictures = [filled(100, 384, 384)] * 3
    sheet = contact_sheet(pictures, "abc", columns=3)
    assert 3 * CELL < sheet.shape[1] < 3 * CELL + 100
    assert CELL < sheet.shape[0] < CELL + 100


def test_small_pictures_are_enlarged_pixel_by_pixel():
    small = np.random.default_rng(0).integers(0, 256, (100, 150, 3), "uint8")
    sheet = contact_sheet([small], ["small"])
    enlarged = small.repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(sheet[12 : 12 + 200, 12 : 12 + 300], enlarged)


def test_a_white_picture_has_edges():
    sheet = contact_sheet([filled(255, 384, 384)], [""])
    edges = np.argwhere((sheet < 255).all(axis=2))
    assert edges.min(axis=0).tolist() == [11, 11]
    assert edges.max(axis=0).tolist() == [12 + 384, 12 + 384]


def test_large_pictures_are_reduced():
    large = np.zeros((3000, 1000, 3), "uint8")
    sheet = contact_sheet([large], ["large"])
    assert CELL < sheet.shape[0] < CELL + 100


@pytest.mark.parametrize(
    ("caption", "lines"),
    [
        ("", 0),
        ("short, and short", 1),
        ("one part that fills a line, another one", 2),
        ("one part that fills a line, " * 5, 3),
    ],
)
def test_captions_are_broken_after_commas(caption, lines):
    sheet = contact_sheet([filled(255, 384, 100)], [caption])
    assert text_lines(sheet) == lines


def test_the_sheet_is_as_high_as_its_captions_need():
    def height(*captions):
        pictures = [filled(100, 200, 200)] * len(captions)
        return contact_sheet(pictures, captions, columns=len(captions)).shape[0]

    long = "one part that fills a line, another one"
    assert height("short", "short") < height("short", long) == height(long, long)


def test_a_caption_for_every_picture():
    with pytest.raises(ValueError, match="zip"):
        contact_sheet([filled(0, 9, 9)] * 2, ["only one"])
