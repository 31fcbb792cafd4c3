import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings

from . import targets
from .__main__ import main
from .hunt import hunt
from .mutations import damaged
from .targets import TARGETS, Target


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input(name):
    target = TARGETS[name]

    # A few seconds; see the package for more.
    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(damaged(target.good()))
    def attempt(content):
        target.check(content)

    attempt()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_intact_is_read(name):
    """A target that refused everything would find nothing."""
    for content in TARGETS[name].good():
        TARGETS[name].read(content)


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before(name):
    for content in TARGETS[name].kept().values():
        TARGETS[name].check(content)


@pytest.fixture
def planted(tmp_path, monkeypatch):
    """A reader with a bug, and the folder of what is found."""

    def read(content):
        assert b"\xff\xff" not in content

    monkeypatch.setattr(targets, "_SEEDS", tmp_path)
    return Target("planted", lambda: [b"something intact"], read)


def test_a_planted_bug_is_found_and_kept(planted):
    tried, path = hunt(planted, 60)
    assert tried > 0
    [content] = planted.kept().values()
    assert path.read_bytes() == content
    with pytest.raises(AssertionError):
        planted.check(content)
    assert len(content) < 40


def test_it_ends_in_time_and_says_what_it_did(planted, monkeypatch, capsys):
    intact = dataclasses.replace(planted, read=lambda content: None)
    monkeypatch.setitem(TARGETS, "planted", intact)
    assert main(["planted", "--minutes", "0.01"]) == 0
    assert "inputs, none broke anything" in capsys.readouterr().out
    assert planted.kept() == {}


def test_slow_is_a_find(planted, monkeypatch):
    monkeypatch.setattr(targets, "SECONDS", 0)
    with pytest.raises(AssertionError, match="it took"):
        dataclasses.replace(planted, read=lambda content: None).check(b"")
