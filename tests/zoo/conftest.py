"""What tests of the zoo share."""

import pytest


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The folder of downloaded models, empty at first."""
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"
