"""The documentation site; that it builds without a warning is seen to by `.ci/run`."""

import re
from pathlib import Path

import pytest

import yoto_tf

ROOT = Path(__file__).parent.parent
REFERENCE = "".join(
    path.read_text(encoding="utf-8") for path in (ROOT / "docs/reference").glob("*.md")
)
IDENTIFIERS = re.findall(r"^::: (\S+)$", REFERENCE, re.MULTILINE)
PACKAGES = {"entropy", "export", "layers", "zoo"}


def test_every_public_name_is_in_the_reference():
    documented = {identifier.rpartition(".")[2] for identifier in IDENTIFIERS}
    assert set(yoto_tf.__all__) - PACKAGES <= documented
    assert set(yoto_tf.layers.__all__) <= documented


def test_every_page_is_listed():
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = list((ROOT / "docs").rglob("*.md"))
    assert len(pages) > 20
    for page in pages:
        assert f": {page.relative_to(ROOT / 'docs').as_posix()}\n" in listed


@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_the_reference_names_what_there_is(identifier):
    from yoto_tf.resolver import resolve

    module, _, name = identifier.rpartition(".")
    assert resolve(f"{module}:{name}").__doc__
