"""Trying inputs until one breaks something."""

import hashlib
import random
import time

from hypothesis import HealthCheck, Phase, given, seed, settings

from .mutations import damaged

_ROUND = 500


def hunt(target, seconds):
    """Tries inputs for so long.

    Args:
        target: a `Target`.
        seconds: from now on.

    Returns:
        How many were tried, and the path of what was kept, None if nothing broke.
    """
    end, tried, last = time.monotonic() + seconds, 0, None

    @settings(
        max_examples=_ROUND,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(damaged(target.good()))
    def attempt(content):
        nonlocal tried, last
        tried, last = tried + 1, content
        if time.monotonic() < end:
            target.check(content)

    while time.monotonic() < end:
        try:
            seed(random.getrandbits(64))(attempt)()
        except Exception as error:
            return tried, _kept(target, last, error)
    return tried, None


def _kept(target, content, error):
    target.folder.mkdir(parents=True, exist_ok=True)
    path = target.folder / f"{hashlib.sha256(content).hexdigest()[:16]}.bin"
    path.write_bytes(content)
    print(f"{type(error).__name__}: {error}")
    return path
