"""The figures that the README and the guides quote are those of the results."""

import re
from pathlib import Path

import pytest
from quoted_figures import PAGES

ROOT = Path(__file__).parent.parent


def missing(page, text):
    """What a page should contain and does not; line breaks are spaces."""
    text = " ".join(text.split())
    return [piece for piece in PAGES[page]() if " ".join(piece.split()) not in text]


@pytest.mark.parametrize("page", PAGES)
def test_figures_are_those_of_the_results(page):
    assert missing(page, (ROOT / page).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_wrong_figure_is_seen(page):
    """With every digit of the page one higher, no figure is found any more."""
    text = (ROOT / page).read_text(encoding="utf-8")
    wrong = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), text)
    with_digits = [piece for piece in PAGES[page]() if re.search(r"\d", piece)]
    assert with_digits
    assert set(with_digits) <= set(missing(page, wrong))
