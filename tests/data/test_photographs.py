import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from yoto_tf.data import Patches, Photographs
from yoto_tf.errors import DataError


def save(path, array, **options):
    Image.fromarray(array).save(path, **options)
    return path


class TestRotation:
    @pytest.fixture
    def folder(self, tmp_path):
        for value in range(20):
            save(tmp_path / f"{value}.png", np.full((32, 32, 3), value, np.uint8))
        return tmp_path

    def test_every_photograph_has_its_turn_within_the_memory_allowed(self, folder):
        photographs = Photographs(folder, memory_bytes=5 * 32 * 32 * 3)
        patches = Patches(photographs, size=16, batch_size=8)
        assert not photographs.complete
        seen, deadline = set(), time.monotonic() + 60
        index = 0
        while len(seen) < 20 and time.monotonic() < deadline:
            seen.update(np.rint(255 * np.unique(patches[index]["image"])).astype(int))
            assert len(photographs.loaded) <= 5
            index += 1
        assert seen == set(range(20))

    def test_unused_photographs_stay(self, folder):
        photographs = Photographs(folder, memory_bytes=5 * 32 * 32 * 3)
        held = photographs.loaded
        time.sleep(0.3)
        assert photographs.loaded is held

    def test_rate_of_reading_follows_use(self, folder):
        photographs = Photographs(folder, memory_bytes=5 * 32 * 32 * 3)
        held = photographs.loaded
        photographs.use(2 * 32 * 32)
        deadline = time.monotonic() + 30
        while photographs.loaded[0] is not held[2] and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.3)
        assert photographs.loaded[0] is held[2]

    @pytest.mark.parametrize("gone", ["empty", "removed"])
    def test_files_that_are_lost_end_the_use(self, folder, gone):
        photographs = Photographs(folder, memory_bytes=5 * 32 * 32 * 3)
        for path in folder.iterdir():
            path.write_bytes(b"") if gone == "empty" else path.unlink()

        def use():
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                photographs.use(32 * 32)
                time.sleep(0.001)

        with pytest.raises(DataError, match=r"cannot be read|can be read|no pictures"):
            use()
        used = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - used < 0.25
        # What one pass found missing stays missing.
        with pytest.raises(DataError):
            photographs.use(1)

    @pytest.mark.parametrize("scales", [(), (0.0,), (2.0,)])
    def test_refused_scales(self, folder, scales):
        with pytest.raises(ValueError, match="scales"):
            Photographs(folder, scales=scales)


def test_process_ends_quietly_while_photographs_rotate(tmp_path):
    for value in range(8):
        save(tmp_path / f"{value}.png", np.full((64, 64, 3), value, np.uint8))
    program = f"""
from yoto_tf.data import Photographs
photographs = Photographs({str(tmp_path)!r}, memory_bytes=1)
photographs.use(1 << 40)
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert result.returncode == 0
    assert "Traceback" not in result.stderr
