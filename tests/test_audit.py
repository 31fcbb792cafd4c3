import importlib.util
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).parent.parent / ".ci" / "audit.py"
_HOLE = {"id": "ADVISORY-1", "fix_versions": ["2.0"], "aliases": []}
_HOLED = {"name": "holed", "version": "1.0", "vulns": [_HOLE]}
_SOUND = {"name": "sound", "version": "1.0", "vulns": []}
_UNKNOWN = {"name": "unknown", "skip_reason": "not found"}


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("audit", _SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("report", [None, {"dependencies": [_UNKNOWN, _UNKNOWN]}])
def test_no_advisories_are_no_good_news(report, script):
    [line], status = script.verdict(report)
    assert "NOT audited" in line
    assert status == 0


def test_holes_are_named_and_end_it(script):
    lines, status = script.verdict({"dependencies": [_HOLED, _SOUND, _UNKNOWN]})
    assert lines == [
        "holed 1.0: ADVISORY-1, mended in 2.0",
        "not audited: unknown",
        "2 packages audited",
    ]
    assert status == 1


def test_what_was_accepted_is_said(script, monkeypatch):
    monkeypatch.setitem(script.ACCEPTED, "ADVISORY-1", "that part is not used")
    lines, status = script.verdict({"dependencies": [_HOLED]})
    assert lines[0] == "holed 1.0: ADVISORY-1, accepted: that part is not used"
    assert status == 0


def test_without_the_tool_nothing_is_claimed(script, tmp_path, monkeypatch):
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho no such module >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(script.sys, "executable", str(failing))
    assert script.audit(str(tmp_path)) is None
